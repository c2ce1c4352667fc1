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
    relay_longest_wait: float = seconds(
        60.0,
        "The most that a change which was not taken waits for its next turn; it waits a second first, then twice as long.",
        at_least=1.0,
        at_most=120.0,
    )
    relay_unknown_tries: int = setting(
        10, "How often an order may be unknown to the order service before a report of it is parked.", at_least=1
    )
    relay_defect_tries: int = setting(
        10,
        "How often in a row a change that is sent alone may meet a defect before it is parked, while others are taken.",
        at_least=10,
        at_most=1_000,
    )
    relay_silences: int = setting(
        3, "Sends in a row without an answer after which one look leaves the rest for later.", at_least=1
    )

    @property
    def lease(self) -> timedelta:
        """How long a relay has what it took: it begins no send that could outlast this."""
        return timedelta(seconds=1.5 * self.relay_timeout)

    @property
    def longest_wait(self) -> timedelta:
        """The most that a change waits for its next turn."""
        return timedelta(seconds=self.relay_longest_wait)

    @property
    def works_for(self) -> float:
        """Seconds for which a consumer that took something counts as working.

        Twice the longest wait, so that a culprit is tried within. Within the ranges of the settings it is less
        than all tries of a defect take, so that a consumer that fails at everything, such as a bad build, has nothing parked.
        """
        return 2 * self.relay_longest_wait

    @property
    def timeout(self) -> timedelta:
        """The time-out of a send."""
        return timedelta(seconds=self.relay_timeout)


DEFAULT = RelayLimits()
