"""Delivery of changes to a consumer: what is sent together, who is to blame when it is rejected, when it is tried again.

A consumer answers in three ways. It takes what is sent. It *rejects* it: then halves are sent until each culprit stands
alone, and everything else is delivered. Or there is *no answer* that says anything about what was sent: it is sent again,
later and in smaller company each time, so that one change that kills the consumer ends up alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from libs.errors import Kind, WaybillError

UNANSWERED = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.STALE, Kind.UNAUTHENTICATED, Kind.DENIED})
"""What says nothing about the change that was sent: silence, overload, contention, and our own identity."""
LONGEST_WAIT = timedelta(minutes=1)
COMPANY = (200, 50, 10)
"""How many changes are sent together that have failed this often; alone after that."""
MAX_SILENCES = 3
"""Sends in a row without an answer after which the rest is left for later."""
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


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a change was not delivered. A parked one waits for an operator, or for the aggregate's next change."""

    head: Head
    reason: str
    parks: bool


@dataclass(slots=True)
class Outcome:
    """What became of changes that were sent."""

    failures: list[Failure] = field(default_factory=list)
    untried: list[Head] = field(default_factory=list)
    silences: int = 0
    """Sends in a row without an answer."""


def wait(tries: int) -> timedelta:
    """How long after this many failures a change is sent again: one second, doubling, up to a minute."""
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(tries - 1, 10)))


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
    if not has_time() or outcome.silences >= MAX_SILENCES:
        outcome.untried += [head(item) for item in items]
        return
    try:
        await send(items)
    except WaybillError as error:
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
        return
    outcome.silences = 0
    if len(items) == 1:
        outcome.failures.append(Failure(head(items[0]), reason[:500], True))
        return
    middle = len(items) // 2
    await deliver(items[:middle], head, send, has_time, outcome)
    await deliver(items[middle:], head, send, has_time, outcome)
