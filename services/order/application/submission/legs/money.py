"""Money: spending accounts reserved at once, cards authorized by their gateway after everything else holds."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import ClassVar

from services.order.application.peers import Payments
from services.order.application.records import Reports
from services.order.application.submission.legs.leg import Asked, Leg, LegTry, Trial


class Money(Leg):
    """Reserves with payment, for an order that is calculated."""

    context: ClassVar[str] = "payment"

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """Whether the payments are such as the present policy of the channel takes, and cover what it wants covered."""
        order = trial.order
        if not order.calculated:
            return LegTry()
        facts = (await asked).facts
        policy = order.policy if facts is None else facts.policy
        answer = await self._payments.reserve(
            order, trial.attempt, trial.deadline, trial.validate_only, policy, trial.new_payments
        )
        return LegTry(LegTry.of(answer.problems).reasons, needs_authorization=answer.needs_authorization)

    async def authorize(self, trial: Trial) -> LegTry:
        """What gateways say. One that has not answered leaves the attempt undecided."""
        answer = await self._payments.authorize(trial.order.key, trial.attempt, trial.deadline)
        return LegTry(LegTry.of(answer.problems).reasons, pending=answer.pending)

    async def confirm(self, trial: Trial) -> Reports:
        """Reservations become redemptions, authorizations stand for the order."""
        await self._payments.confirm(trial.order.key, trial.attempt)
        return Reports()

    async def release(self, key: uuid.UUID, attempt: int) -> None:
        """Reservations end, authorizations are voided."""
        await self._payments.release(key, attempt)
