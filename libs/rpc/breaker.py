"""A circuit breaker: a service that does not answer fails its callers at once instead of holding them."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
"""Calls in a row without an answer after which the circuit opens."""
OPEN_SECONDS = 1.0
"""How long it stays open before one call may try again."""


class Breaker:
    """The circuit to one service. Only calls without an answer count; an error is an answer."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call made now would fail at once."""
        return self._failures >= FAILURES and self._now() < self._until

    def admits(self) -> bool:
        """Whether this call may be made. Past the open time one call is let through, the others wait for it."""
        if self._failures < FAILURES:
            return True
        now = self._now()
        if now < self._until:
            return False
        self._until = now + OPEN_SECONDS
        return True

    def answered(self) -> None:
        """The service lives: the circuit is closed."""
        self._failures = 0

    def unanswered(self) -> None:
        """No answer came."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._now() + OPEN_SECONDS
