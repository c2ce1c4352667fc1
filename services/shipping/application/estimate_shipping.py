"""EstimateShipping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.clock import Clock
from services.shipping.application.ports import TermsStore
from services.shipping.domain.estimate import Estimate, Problem, estimate
from services.shipping.domain.grouping import Item
from services.shipping.domain.zones import Destination


@dataclass(frozen=True, slots=True)
class Question:
    """An order that wants to be shipped."""

    buyer_id: str
    client_id: str
    currency: str
    ordered_to: Destination | None
    items: Sequence[Item]
    alternatives: Sequence[Sequence[Item]] = ()
    """Other ways to ship it."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """What one way to ship an order is estimated at."""

    estimates: Sequence[Estimate]
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Answer:
    """Its estimates, and what cannot be shipped."""

    estimates: Sequence[Estimate]
    problems: Sequence[Problem]
    rate_time: datetime
    alternatives: Sequence[Estimated] = ()


class EstimateShipping:
    """Groups a whole order and prices every method of every group. Stores nothing."""

    def __init__(self, terms: TermsStore, clock: Clock) -> None:
        self._terms = terms
        self._clock = clock

    async def __call__(self, question: Question) -> Answer:
        now = self._clock.now()
        terms = await self._terms.load(question.buyer_id, question.client_id)
        first, *others = (
            Estimated(*estimate(items, question.ordered_to, question.currency, terms))
            for items in (question.items, *question.alternatives)
        )
        return Answer(first.estimates, first.problems, now, others)
