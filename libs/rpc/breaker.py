"""A circuit breaker: a service that does not answer fails its callers at once instead of holding them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What a service grants the services that it calls."""

    call_timeout: float = seconds(
        10.0, "How long a call between services may take; never longer than the call that it serves has left.", at_least=0.1
    )
    circuit_failures: int = setting(
        5, "Calls in a row without an answer after which calls of that service fail at once.", at_least=1
    )
    circuit_seconds: float = seconds(1.0, "How long they do, before one call tries whether the service is back.", at_least=0.01)


DEFAULT = CallLimits()


class Breaker:
    """The circuit to one service. Only calls without an answer count; an error is an answer."""

    def __init__(self, now: Callable[[], float] = time.monotonic, limits: CallLimits = DEFAULT) -> None:
        self._limits = limits
        self._now = now
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call made now would fail at once."""
        return self._failures >= self._limits.circuit_failures and self._now() < self._until

    def admits(self) -> bool:
        """Whether this call may be made. Past the open time one call is let through, the others wait for it."""
        if self._failures < self._limits.circuit_failures:
            return True
        now = self._now()
        if now < self._until:
            return False
        self._until = now + self._limits.circuit_seconds
        return True

    def answered(self) -> None:
        """The service lives: the circuit is closed."""
        self._failures = 0

    def unanswered(self) -> None:
        """No answer came."""
        self._failures += 1
        if self._failures >= self._limits.circuit_failures:
            self._until = self._now() + self._limits.circuit_seconds
