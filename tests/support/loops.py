"""Time and background loops in the hands of a test: loops do one step at a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.service.app import ServiceApp


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


def steps(app: ServiceApp) -> dict[str, Callable[[], Awaitable[Any]]]:
    """One look of each of a service's background loops, by the class that it belongs to."""
    found = ((getattr(loop.once, "__self__", None), loop.once) for loop in app.background)
    return {type(owner).__name__: once for owner, once in found if owner is not None}
