"""Stock, and the supplier orders that come of it: reserved, then placed or given back."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import ClassVar

from services.order.application.peers import Fulfillment
from services.order.application.records import Reports
from services.order.application.submission.legs.leg import Asked, Leg, LegTry, Trial


class Stock(Leg):
    """Reserves with fulfillment by the plan of the estimates, while they are those of the order."""

    context: ClassVar[str] = "fulfillment"

    def __init__(self, fulfillment: Fulfillment) -> None:
        self._fulfillment = fulfillment

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """What cannot be reserved."""
        if not trial.lines:
            return LegTry()
        plan = trial.worksheet.plan if trial.order.estimated else ()
        found = await self._fulfillment.reserve(
            trial.order, trial.lines, plan, trial.attempt, trial.deadline, trial.validate_only
        )
        return LegTry.of(found)

    async def confirm(self, trial: Trial) -> Reports:
        """The supplier orders that it has led to."""
        return await self._fulfillment.confirm(trial.order, trial.lines, trial.worksheet, trial.attempt)

    async def release(self, key: uuid.UUID, attempt: int) -> None:
        """Stock is free again."""
        await self._fulfillment.release(key, attempt)
