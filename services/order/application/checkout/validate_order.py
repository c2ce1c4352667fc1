"""ValidateOrder: the tries of a submit, leaving nothing."""

from __future__ import annotations

from libs.auth import Principal
from libs.clock import Clock
from services.order.application.access import readable, require_writer
from services.order.application.ports import OrderStore, Transactions
from services.order.application.submission.attempts import DEADLINE
from services.order.application.submission.try_submission import Trial, TrySubmission
from services.order.domain.model import Reason
from services.order.domain.status import Trigger, move


class ValidateOrder:
    """All reasons why a submit would be refused now."""

    def __init__(self, database: Transactions, orders: OrderStore, tries: TrySubmission, clock: Clock) -> None:
        self._db = database
        self._orders = orders
        self._tries = tries
        self._clock = clock

    async def __call__(self, caller: Principal, order_id: str) -> tuple[Reason, ...]:
        """Empty when the order can be submitted."""
        async with self._db.reading(snapshot=True) as tx:
            order = await readable(self._orders, tx, caller, order_id)
            require_writer(caller, order)
            move(order.id, order.status, Trigger.SUBMIT)
            lines = await self._orders.lines(tx, order.key)
            worksheet = await self._orders.worksheet(tx, order.key)
        number = 1 if order.submission is None else order.submission.attempt + 1
        now = self._clock.now()
        tried = await self._tries(Trial(order, lines, worksheet, number, now, now + DEADLINE, True))
        return tried.reasons
