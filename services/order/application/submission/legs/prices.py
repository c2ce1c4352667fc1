"""The prices and tax rates on the order: whether pricing still says the same."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import ClassVar

from services.order.application.peers import Pricing
from services.order.application.submission.legs.leg import Asked, Leg, LegTry, Trial


class Prices(Leg):
    """Only looks; not at all when pricing has just calculated. Costs are not compared, but taken as they are."""

    context: ClassVar[str] = "pricing"

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """Prices and rates that have changed."""
        if trial.quote_is_fresh or not trial.order.calculated:
            return LegTry()
        found = await self._pricing.check_quote(trial.order, trial.lines, trial.worksheet, trial.attempt, trial.deadline)
        return replace(LegTry.of(found.problems), costs=found.costs)
