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
"""How often work is done that a database undoes. No setting: callers, too, try again what was refused for this."""


@dataclass(slots=True)
class _Work:
    """What is being done, by however many tasks."""

    outside: bool
    """Whether an outside caller asked for it, and not another service."""
    committed: bool = False


_WORK: ContextVar[_Work | None] = ContextVar("work", default=None)


def committed() -> None:
    """A transaction of the work is durable."""
    work = _WORK.get()
    if work is not None:
        work.committed = True


def begin(outside: bool) -> None:
    """What this task does from now on is one work that is not repeated, such as a stream."""
    _WORK.set(_Work(outside))


def is_what_was_asked() -> bool:
    """Whether what is done is still what an outside caller asked for, and has left nothing behind.

    Then a value that cannot be stored came from that caller. Later, in a service that was called on the way and in a loop it is
    a copy of what was accepted before: a defect of ours.
    """
    work = _WORK.get()
    return work is not None and work.outside and not work.committed


async def repeated(act: Callable[[], Awaitable[T]], attempts: int = ATTEMPTS, *, outside: bool = True) -> T:
    """Does the work, and again while it was undone without having left anything."""
    work = _Work(outside)
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
