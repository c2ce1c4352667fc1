"""Which event loop a process serves on."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace

import pytest

from services.host.process import event_loop


def test_a_process_serves_on_the_loop_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed(asyncio.SelectorEventLoop):
        """Stands for the loop of the package."""

    found: list[asyncio.AbstractEventLoop] = []

    async def serving() -> None:
        found.append(asyncio.get_running_loop())

    monkeypatch.setitem(sys.modules, "uvloop", SimpleNamespace(new_event_loop=Installed))
    event_loop.run(serving())
    assert [type(loop) for loop in found] == [Installed]


def test_a_process_serves_on_the_loop_of_python_where_no_other_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert event_loop.factory() is None
