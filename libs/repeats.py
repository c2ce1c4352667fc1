"""Work that a database undid because of others is done again as a whole, as long as it has left nothing behind.

A serialization failure or a deadlock says that nothing has happened. What a call did before its first commit were reads, and
calls of other services, all of which are idempotent; so the call may begin again. After a commit it may not: what it has done
stands, and the transactions that follow are repeated one by one (`Database.retrying`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from libs.errors import WaybillError

T = TypeVar("T")
ATTEMPTS = 5


@dataclass(slots=True)
class _Work:
    """What is being done, by however many tasks."""

    committed: bool = False


_WORK: ContextVar[_Work | None] = ContextVar("work", default=None)


def committed() -> None:
    """A transaction of the work is durable."""
    work = _WORK.get()
    if work is not None:
        work.committed = True


async def repeated(act: Callable[[], Awaitable[T]], attempts: int = ATTEMPTS) -> T:
    """Does the work, and again while it was undone without having left anything."""
    work = _Work()
    token = _WORK.set(work)
    try:
        for attempt in range(attempts):
            try:
                return await act()
            except WaybillError as error:
                if not error.undone or work.committed:
                    raise
                if attempt == attempts - 1:
                    error.undone = False
                    raise
            await pause(attempt)
    finally:
        _WORK.reset(token)
    raise AssertionError("unreachable")


async def pause(attempt: int) -> None:
    """Longer each time, and never the same for two that undid each other."""
    await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)
