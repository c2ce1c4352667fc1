"""Calls that wait for something to happen, and do nothing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Protocol


class Held(Protocol):
    """What a call holds of its process while it runs."""

    def waiting(self) -> AbstractAsyncContextManager[None]:
        """A block in which others may have it."""
        ...


HELD: ContextVar[Held | None] = ContextVar("held", default=None)


@asynccontextmanager
async def waiting() -> AsyncIterator[None]:
    """A block in which the call that is served only waits, so that it keeps nobody out. Raises TOO_MANY_CALLS where too many
    wait already."""
    held = HELD.get()
    if held is None:
        yield
        return
    async with held.waiting():
        yield


async def pause(seconds: float) -> None:
    """Waits so long."""
    async with waiting():
        await asyncio.sleep(seconds)
