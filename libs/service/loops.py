"""Background loops: a look that is taken again and again, and items that are taken up one by one.

Nothing ends a loop but its cancellation, and what one item fails by keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from libs.errors import Kind, WaybillError
from libs.obs import metrics

AGAIN = 1.0
"""Seconds, at least, between a look that failed and the next."""
REPEAT = 60.0
"""Seconds after which trouble that lasts is logged again."""
_T = TypeVar("_T")


class Tries(Protocol):
    """Keeps how often each item has failed, and puts off those that have: see `libs.service.retries`."""

    async def failed(self, item: Any, why: str) -> None: ...
    async def went(self, item: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a look goes about what is due: how failures are kept, how many items it takes, and how long those that are still
    open after it wait for the next one."""

    tries: Tries
    batch: int
    again: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Loop:
    """A look that is safe in every replica, and the seconds between two of them."""

    name: str
    once: Callable[[], Awaitable[object]]
    pause: float
    first: float | None = None
    """Seconds before the first look, if not as many: a process may not live for as long as a rare look pauses."""


@dataclass(slots=True)
class Trouble:
    """Failures in a row, logged sparingly: a new kind at once, one that lasts once a minute, its end once."""

    log: Any
    now: Callable[[], float] = time.monotonic
    failures: int = field(default=0, init=False)
    _kind: object = field(default=None, init=False)
    _logged: float = field(default=0.0, init=False)

    def met(self, error: BaseException) -> None:
        """A look failed. What callers may hear is one line; a defect has its traceback, when it is new."""
        self.failures += 1
        kind = error.reason if isinstance(error, WaybillError) else (type(error), *_place(error))
        new, now = kind != self._kind, self.now()
        if not new and now - self._logged < REPEAT:
            return
        self._kind, self._logged = kind, now
        if isinstance(error, WaybillError):
            self.log.warning("background loop postponed", reason=error.reason, failures=self.failures)
        elif new:
            self.log.error("background loop failed", failures=self.failures, exc_info=error)
        else:
            self.log.error("background loop still fails", error=type(error).__name__, failures=self.failures)

    def over(self) -> None:
        """A look succeeded."""
        if self.failures:
            self.log.info("background loop goes on", failures=self.failures)
        self.failures, self._kind = 0, None


def _place(error: BaseException) -> tuple[str, int]:
    """Where it was raised: the same defect says something else of every row."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return ("", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


async def forever(service: str, loop: Loop, log: Any) -> None:
    """Until it is canceled. However a look ends, there is a next one."""
    trouble = Trouble(log.bind(service=service, loop=loop.name))
    pause = loop.pause if loop.first is None else loop.first
    while True:
        await asyncio.sleep(max(pause, AGAIN) if trouble.failures else pause)
        pause = loop.pause
        try:
            await loop.once()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _canceled():
                raise
            # A call whose channel was closed under it is canceled too: that is not our end.
            metrics.LOOP_FAILURES.labels(service).inc()
            trouble.met(error)
        else:
            trouble.over()


def _canceled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def one_by_one(items: Iterable[_T], act: Callable[[_T], Awaitable[bool]], log: Any, tries: Tries) -> int:
    """Acts on each item and returns how often that did something. When what it needs does not answer, the rest is left
    for the next look: it would only wait as long."""
    done = 0
    for item in items:
        try:
            done += await act(item)
            await tries.went(item)
        except Exception as error:
            await put_off(item, error, log, tries)
            if isinstance(error, WaybillError) and error.kind is Kind.UNAVAILABLE and not error.defect:
                break
    return done


async def put_off(item: Any, error: Exception, log: Any, tries: Tries) -> None:
    """Logs what an item failed by and has it wait; never fails itself, since there are others."""
    if isinstance(error, WaybillError):
        log.info("postponed", item=str(item), reason=error.reason)
    else:
        log.error("failed", item=str(item), exc_info=error)
    try:
        await tries.failed(item, error.reason if isinstance(error, WaybillError) else type(error).__name__)
    except Exception:
        # It is due again when its lease ends.
        log.exception("failure not noted", item=str(item))
