"""Fixtures of the rpc layer's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.echo import EchoServicer, echo_app
from tests.support.logs import log
from tests.support.server import Served, serving

__all__ = ["echo", "log", "server"]


@pytest.fixture
def echo() -> EchoServicer:
    return EchoServicer()


@pytest.fixture
async def server(echo: EchoServicer) -> AsyncIterator[Served]:
    async with serving(echo_app(echo)) as running:
        yield running
