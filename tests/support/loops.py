"""Time and background loops in the hands of a test: loops do one step when they are told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.service import ServiceApp


class ShiftedClock:
    """The machine's clock, ahead by as much as a test has moved it on. Tokens are verified by the machine's."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present instant in UTC, and what was added."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Moves on."""
        self._ahead += by


def steps(app: ServiceApp) -> dict[str, Callable[[], Awaitable[int]]]:
    """One look of each of a service's background loops, by the loop's class."""
    return {type(owner).__name__: owner.once for loop in app.background for owner in _owners(loop) if hasattr(owner, "once")}


def _owners(loop: Any) -> Iterator[Any]:
    yield getattr(getattr(loop, "func", loop), "__self__", None)
    yield from (cell.cell_contents for cell in getattr(loop, "__closure__", None) or ())
