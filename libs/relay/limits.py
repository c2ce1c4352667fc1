"""How a relay takes and sends what its consumer has not acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What one look of a relay takes, and how long it waits. Times are in seconds."""

    relay_timeout: float = seconds(
        10.0, "How long the relay waits for the order service to answer one send.", at_least=0.5, at_most=300.0
    )
    relay_batch: int = setting(200, "Changes that one look of the relay takes.", at_least=1, at_most=10_000)
    relay_unknown_tries: int = setting(
        10, "How often an order may be unknown to the order service before what is told of it is parked.", at_least=1
    )

    @property
    def lease(self) -> timedelta:
        """How long a relay has what it took: it begins no send that could outlast this."""
        return timedelta(seconds=1.5 * self.relay_timeout)

    @property
    def timeout(self) -> timedelta:
        """The time-out of a send."""
        return timedelta(seconds=self.relay_timeout)


DEFAULT = RelayLimits()
