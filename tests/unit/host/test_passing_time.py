"""How a story of the demo lets time pass."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import StringIO
from typing import Any, cast

import pytest
from rich.console import Console

from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage
from services.host.sample.parties import People

MINUTE = timedelta(minutes=1)


def shown(quiet: bool = False) -> tuple[Narrator, StringIO]:
    """A narrator, and what it writes."""
    out = StringIO()
    return Narrator(Console(file=out, width=200), quiet), out


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited for, which pass at once."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return found


def stage(**more: Any) -> Stage:
    return Stage(cast(People, None), "nowhere", **more)


async def test_a_clock_that_is_the_demos_is_moved_on_and_nobody_waits(slept: list[float]) -> None:
    moved: list[timedelta] = []

    async def advance(by: timedelta) -> None:
        moved.append(by)

    narrator, out = shown()
    await stage(advance=advance).later(MINUTE, narrator)
    assert (moved, slept) == ([MINUTE], [])
    assert "moves the clock of this marketplace, which is the demo's own, 60 seconds on" in out.getvalue()


@pytest.mark.parametrize("quiet", [False, True])
async def test_where_the_clock_is_not_the_demos_everybody_waits(slept: list[float], quiet: bool) -> None:
    narrator, out = shown(quiet)
    await stage().later(MINUTE, narrator)
    assert sum(slept) == 60
    assert ("waits for 60 seconds" in out.getvalue()) is not quiet
