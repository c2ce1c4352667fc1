"""LowerPayments: an open order owes less. Decided already, so that it is never refused."""

from __future__ import annotations

import uuid

from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money.lowering import lower
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Transaction


class LowerPayments:
    """Idempotent by order and attempt."""

    def __init__(self, books: Books, settle: SettleTransactions) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle

    async def __call__(self, key: uuid.UUID, attempt: int, due: int) -> list[Payment]:
        """The payments as they are now; what the gateway has still to answer is left to the loop."""
        pending = await self._units.retrying(lambda work: self._lower(work, key, attempt, due))
        await self._settle.promptly(pending)
        async with self._units.reading() as work:
            return await work.payments.of_order(key)

    async def _lower(self, work: PaymentWork, key: uuid.UUID, attempt: int, due: int) -> list[Transaction]:
        now = self._clock.now()
        payments = await work.payments.of_order(key, lock=True)
        if not await work.payments.lowered(key, attempt, now):
            return []
        rows = await work.payments.transactions([p.id for p in payments])
        return await self._record(work, lower(payments, rows, due, now), now)
