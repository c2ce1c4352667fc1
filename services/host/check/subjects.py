"""One buyer order as every context states it, and how the contexts' streams become one stream of orders."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.host.check.failing import Failing, failing
from services.host.check.parked import KIND, Parked
from waybill.inspection.v1 import inspection_service_pb2 as pb

Values = Mapping[str, str]
OVERDUE = timedelta(minutes=15)
"""How long work may be under way. Attempts are decided within a minute, and everything else is tried every few minutes."""
SILENT = timedelta(days=1)
"""How long a gateway may leave us without an answer before that explains nothing any more."""
Kind = tuple[str, str]
"""A context, and what it states."""
ATTEMPT: Kind = ("order", "attempt")
CANCEL: Kind = ("order", "cancellation")
HOLD: Kind = ("order", "hold")
DELETION: Kind = ("order", "deletion")
CAPTURE: Kind = ("order", "capture")
UNREPORTED: Kind = ("fulfillment", "unreported")
ALERT: Kind = ("payment", "alert")
PENDING: Kind = ("payment", "pending")
UNDER_WAY: Mapping[Kind, str] = {
    ATTEMPT: "submits",
    CANCEL: "cancels",
    HOLD: "holds",
    DELETION: "deletions",
    CAPTURE: "captures of what has shipped",
    ("pricing", "attempt"): "attempts with redemptions reserved",
    ("payment", "payment_attempt"): "attempts with payments reserved",
    PENDING: "questions to a gateway",
    ALERT: "alerts to the order service",
    ("fulfillment", "stock_attempt"): "attempts with stock reserved",
    UNREPORTED: "reports to the order service",
}
"""Facts about work that is not at its end, and the name it has for people."""
_ENDS = (ATTEMPT, CANCEL, HOLD, UNREPORTED, ALERT)
"""Work that comes to its end by itself, and soon."""


def in_words(under_way: Mapping[Kind, int]) -> str:
    """Work under way, for people."""
    return ", ".join(f"{what} {under_way[kind]:,}" for kind, what in UNDER_WAY.items() if under_way.get(kind))


@dataclass(slots=True)
class Subject:
    """Facts about one buyer order."""

    key: str
    facts: dict[tuple[str, str], list[Values]] = field(default_factory=dict)

    @staticmethod
    def of(key: str, facts: Iterable[pb.Fact]) -> Subject:
        """From the facts that a context has stated."""
        made = Subject(key)
        for fact in facts:
            made.facts.setdefault((fact.context, fact.kind), []).append(dict(fact.values))
        return made

    def all(self, context: str, kind: str) -> Sequence[Values]:
        """Every statement of a kind."""
        return self.facts.get((context, kind), ())

    def one(self, context: str, kind: str) -> Values:
        """The only one; empty when there is none."""
        return next(iter(self.all(context, kind)), {})

    @property
    def name(self) -> str:
        """The order's id, or its key when the order service does not know it."""
        return self.one("order", "order").get("id", self.key)

    @property
    def state(self) -> str:
        """All that is stated, to see whether it is the same at a second reading."""
        return repr(sorted((kind, sorted(sorted(v.items()) for v in many)) for kind, many in self.facts.items()))

    @property
    def parked(self) -> list[Parked]:
        """Changes that wait for an operator. Only they are excused, as long as they wait: see the rules."""
        return [Parked.of(context, v) for (context, kind), many in self.facts.items() if kind == KIND for v in many]

    @property
    def failing(self) -> list[Failing]:
        """Work that fails again and again."""
        return list(failing(self.name, self.facts))

    def under_way(self, kinds: Iterable[Kind], now: datetime | None = None) -> bool:
        """Whether work of these kinds is not at its end, and not for too long."""
        return any(
            not _older(values, SILENT if kind == PENDING else OVERDUE, now) for kind in kinds for values in self._open(kind)
        )

    @property
    def unfinished(self) -> Counter[Kind]:
        """How much work of every kind is not at its end."""
        return Counter({kind: count for kind in UNDER_WAY if (count := len(self._open(kind)))})

    def overdue(self, now: datetime | None = None) -> list[str]:
        """What should have come to its end long ago. A gateway may be silent for longer: that is not ours."""
        return [
            f"{kind[0]}'s {kind[1]} since {values['since']}"
            for kind in sorted(_ENDS)
            for values in self._open(kind)
            if _older(values, OVERDUE, now)
        ]

    def _open(self, kind: Kind) -> list[Values]:
        return [values for values in self.all(*kind) if values.get("finished", "0") == "0"]


def _older(values: Values, age: timedelta, now: datetime | None) -> bool:
    return "since" in values and datetime.fromisoformat(values["since"]) < (now or datetime.now(UTC)) - age


class UnorderedFactsError(Exception):
    """A context stated its facts out of the order of their keys: they cannot be compared as they come."""


async def subjects(streams: Mapping[str, AsyncIterator[pb.Fact]]) -> AsyncIterator[Subject]:
    """Orders one by one: streams of facts in the order of their keys, merged. Holds one order of each stream."""
    heap: list[tuple[str, str, list[pb.Fact]]] = []
    groups = {context: _grouped(context, stream) for context, stream in streams.items()}

    async def advance(context: str) -> None:
        group = await anext(groups[context], None)
        if group is not None:
            heapq.heappush(heap, (group[0], context, group[1]))

    await asyncio.gather(*(advance(context) for context in groups))
    while heap:
        key = heap[0][0]
        facts: list[pb.Fact] = []
        while heap and heap[0][0] == key:
            _, context, mine = heapq.heappop(heap)
            facts += mine
            await advance(context)
        yield Subject.of(key, facts)


async def _grouped(context: str, facts: AsyncIterator[pb.Fact]) -> AsyncIterator[tuple[str, list[pb.Fact]]]:
    key, group = "", list[pb.Fact]()
    async for fact in facts:
        if fact.order_key != key and group:
            if fact.order_key < key:
                raise UnorderedFactsError(f"{context}: {fact.order_key} after {key}")
            yield key, group
            group = []
        key = fact.order_key
        group.append(fact)
    if group:
        yield key, group
