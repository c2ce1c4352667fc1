"""VoidPayments: the order was canceled. Accounts are credited, authorizations voided, captures refunded."""

from __future__ import annotations

import uuid

from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.attempts.attempt import cancel
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Transaction


class VoidPayments:
    """Idempotent by order."""

    def __init__(self, books: Books, settle: SettleTransactions) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle

    async def __call__(self, key: uuid.UUID) -> list[Payment]:
        """The payments as they are now; what the gateway must still end is left to the loop."""
        pending = await self._units.retrying(lambda work: self._void(work, key))
        await self._settle.promptly(pending)
        async with self._units.reading() as work:
            return await work.payments.of_order(key)

    async def _void(self, work: PaymentWork, key: uuid.UUID) -> list[Transaction]:
        now = self._clock.now()
        # A confirm that is still on its way then finds its attempt released, and debits nothing.
        await work.attempts.end_all(key, "RELEASED", now)
        payments = await work.payments.of_order(key, lock=True)
        ids = [p.id for p in payments]
        rows = await work.payments.transactions(ids)
        # A refund that a person asked for is the cancel's from now on: declined, it needs attention.
        await work.payments.take_over_refunds(ids)
        return await self._record(work, cancel(payments, rows, now), now)
