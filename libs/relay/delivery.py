"""Delivery of changes to a consumer: what is sent together, who is to blame when it is rejected, when it is tried again.

A consumer answers in four ways. It takes what is sent. It *rejects* it: then halves are sent until each culprit stands
alone, and everything else is delivered. Or there is *no answer* that says anything about what was sent: it is sent again,
later and in smaller company each time, so that one change that kills the consumer ends up alone. Or it *fails by a defect*,
INTERNAL, which may be the fault of one change or of a bad build: that counts as no answer, until one change has failed so
often, alone, while others were taken. Then it is to blame.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from libs import failpoints
from libs.errors import Kind, WaybillError
from libs.relay.limits import DEFAULT, RelayLimits

UNANSWERED = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.STALE, Kind.UNAUTHENTICATED, Kind.DENIED})
"""What says nothing about the change that was sent: silence, overload, contention, and our own identity."""
COMPANY = (200, 50, 10)
"""How many changes are sent together that have failed this often; alone after that."""
REASON_LENGTH = 500
"""Characters that are kept of why a change was not taken."""
_DEFECTS = re.compile(r"INTERNAL x(\d+):")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Head:
    """An aggregate's newest state that its consumer has not acknowledged, taken by one relay.

    `lease` fences: whoever takes it later, and an operator who retries it, raises the number.
    """

    kind: str
    key: UUID
    version: int
    lease: int
    tries: int
    defects: int = 0
    """How often in a row the consumer failed by a defect when it was sent this alone."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a change was not delivered. A parked one waits for an operator, or for the aggregate's next change."""

    head: Head
    reason: str
    parks: bool


class Consumer:
    """What is known of a consumer in this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic, limits: RelayLimits = DEFAULT) -> None:
        self._now = now
        self.limits = limits
        self._took: float | None = None

    def took(self) -> None:
        """It has just taken a change, whoever sent it."""
        self._took = self._now()

    @property
    def works(self) -> bool:
        """Whether it has taken something lately: then a defect is not one of everything."""
        return self._took is not None and self._now() - self._took <= self.limits.works_for


@dataclass(slots=True)
class Outcome:
    """What became of changes that were sent."""

    consumer: Consumer = field(default_factory=Consumer)
    failures: list[Failure] = field(default_factory=list)
    untried: list[Head] = field(default_factory=list)
    silences: int = 0
    """Sends in a row without an answer."""


def wait(tries: int, longest: timedelta = DEFAULT.longest_wait) -> timedelta:
    """How long after this many failures a change is sent again: one second, doubling, up to the longest wait."""
    return min(longest, timedelta(seconds=2 ** min(tries - 1, 20)))


def defects(error: str | None) -> int:
    """How many defects in a row the last failure's reason counts. They are kept there, where operators read them."""
    found = _DEFECTS.match(error or "")
    return int(found[1]) if found else 0


def companies(heads: Sequence[Head]) -> Iterator[list[Head]]:
    """What is sent together: first what has never failed."""
    groups: dict[int, list[Head]] = {}
    for head in heads:
        groups.setdefault(min(head.tries, len(COMPANY)), []).append(head)
    for tries, group in sorted(groups.items()):
        size = COMPANY[tries] if tries < len(COMPANY) else 1
        for start in range(0, len(group), size):
            yield group[start : start + size]


async def deliver(
    items: Sequence[_T],
    head: Callable[[_T], Head],
    send: Callable[[Sequence[_T]], Awaitable[None]],
    has_time: Callable[[], bool],
    outcome: Outcome,
) -> None:
    """Sends items together; halves them when they are rejected. `has_time` says whether another send may begin."""
    if not has_time() or outcome.silences >= outcome.consumer.limits.relay_silences:
        outcome.untried += [head(item) for item in items]
        return
    if failpoints.WATCHED is not None:
        await failpoints.WATCHED.reach(f"{failpoints.place()}:send:before")
    try:
        await send(items)
    except WaybillError as error:
        if error.defect:
            outcome.silences += 1
            alone = len(items) == 1
            outcome.failures += [_defect(head(item), alone, outcome.consumer) for item in items]
            return
        if error.kind in UNANSWERED:
            outcome.silences += 1
            outcome.failures += [Failure(head(item), error.reason, False) for item in items]
            return
        reason = f"{error.reason}: {error.message}"
    except Exception as error:
        # What cannot even be put into a message.
        reason = type(error).__name__
    else:
        outcome.silences = 0
        outcome.consumer.took()
        return
    outcome.silences = 0
    if len(items) == 1:
        outcome.failures.append(Failure(head(items[0]), reason[:REASON_LENGTH], True))
        return
    middle = len(items) // 2
    await deliver(items[:middle], head, send, has_time, outcome)
    await deliver(items[middle:], head, send, has_time, outcome)


def _defect(head: Head, alone: bool, consumer: Consumer) -> Failure:
    """In company nobody is to blame; alone it counts."""
    if not alone:
        return Failure(head, "INTERNAL", False)
    count = head.defects + 1
    return Failure(
        head,
        f"INTERNAL x{count}: the consumer fails at it, its log says why",
        consumer.works and count >= consumer.limits.relay_defect_tries,
    )
