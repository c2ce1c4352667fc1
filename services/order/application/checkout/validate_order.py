"""ValidateOrder: the tries of a submit, leaving nothing."""

from __future__ import annotations

from datetime import timedelta

from libs.auth import Principal
from libs.clock import Clock
from services.order.application.access import readable, require_writer
from services.order.application.ports import Units
from services.order.application.submission.legs.leg import Trial
from services.order.application.submission.try_submission import TrySubmission
from services.order.domain.model import Problem
from services.order.domain.status import Trigger, move


class ValidateOrder:
    """All reasons why a submit would be refused now."""

    def __init__(self, units: Units, tries: TrySubmission, clock: Clock, deadline: timedelta) -> None:
        """`deadline` is what a submit would have."""
        self._units = units
        self._tries = tries
        self._clock = clock
        self._deadline = deadline

    async def __call__(self, caller: Principal, order_id: str) -> tuple[Problem, ...]:
        """Empty when the order can be submitted."""
        async with self._units.reading(snapshot=True) as work:
            order = await readable(work.orders, caller, order_id)
            require_writer(caller, order)
            move(order.id, order.status, Trigger.SUBMIT)
            lines = await work.orders.lines(order.key)
            worksheet = await work.orders.worksheet(order.key)
        number = 1 if order.submission is None else order.submission.attempt + 1
        now = self._clock.now()
        tried = await self._tries(Trial(order, lines, worksheet, number, now, now + self._deadline, True))
        return tried.reasons
