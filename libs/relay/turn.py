"""One turn of a relay: it takes what is due for a while, sends it, and gives back what was not taken.

What is taken, how it is sent and who keeps the marks is the context's; the turn knows the time that is left and what
became of each change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from libs.clock import Clock
from libs.obs import get_logger, metrics
from libs.relay.delivery import Consumer, Failure, Head, Outcome, deliver
from libs.relay.limits import DEFAULT, RelayLimits

_LOG = get_logger("relay")


class Keyed(Protocol):
    """A change, or the state that it led to."""

    @property
    def key(self) -> UUID:
        """Of its aggregate."""


Item = TypeVar("Item", bound=Keyed)


class Relay:
    """What a relay knows from one turn to the next: whether its consumer works."""

    def __init__(self, context: str, name: str, clock: Clock, limits: RelayLimits = DEFAULT) -> None:
        """`context` and `name` say in logs and metrics whose relay it is."""
        self.context = context
        self.name = name
        self.clock = clock
        self.limits = limits
        self.consumer = Consumer(limits=limits)

    def turn(self) -> Turn:
        """Begins one."""
        return Turn(self)


class Turn:
    """What is taken between `began` and `until` is this relay's alone."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.limits = relay.limits
        self.began: datetime = relay.clock.now()
        self.until = self.began + self.limits.lease
        self.outcome = Outcome(relay.consumer)

    async def deliver(
        self, items: Sequence[Item], heads: Mapping[UUID, Head], send: Callable[[Sequence[Item]], Awaitable[None]]
    ) -> None:
        """Sends items together, as far as there is time; `heads` are those that were taken, by key."""
        await deliver(items, lambda item: heads[item.key], send, self._has_time, self.outcome)

    def unknown(self, head: Head, reason: str) -> None:
        """The consumer does not know what this change belongs to: it may hear of that later, but not for ever."""
        self.outcome.failures.append(Failure(head, reason, head.tries + 1 >= self.limits.relay_unknown_tries))

    async def end(self, give_back: Callable[[Outcome, datetime], Awaitable[None]]) -> None:
        """Gives back what was not taken, counts what failed and names what is parked."""
        failures = self.outcome.failures
        if failures or self.outcome.untried:
            await give_back(self.outcome, self._relay.clock.now())
        metrics.WORK_FAILURES.labels(self._relay.context, self._relay.name).inc(len(failures))
        for failure in failures:
            if failure.parks:
                head = failure.head
                _LOG.warning("change_parked", context=self._relay.context, kind=head.kind, key=str(head.key), why=failure.reason)

    def _has_time(self) -> bool:
        return self._relay.clock.now() + self.limits.timeout < self.until
