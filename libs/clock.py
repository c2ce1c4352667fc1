"""Time as a port. All times are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives the current time."""

    def now(self) -> datetime:
        """The present instant in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until a test moves it on."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Moves on."""
        self._now += by


class ShiftedClock:
    """The machine's clock, ahead by as much as it was moved on. Tokens are verified by the machine's: one that is given after a
    move is not good before the machine gets there."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present instant in UTC, and what was added."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Moves on."""
        self._ahead += by
