"""VoidPayments: the order was canceled. Accounts are credited, authorizations voided, captures refunded."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from services.payment.application.ports import AttemptStore, PaymentStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.attempt import cancel
from services.payment.domain.payment import Payment
from services.payment.domain.transaction import Transaction


class VoidPayments:
    """Idempotent by order."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        attempts: AttemptStore,
        record: RecordChanges,
        settle: SettleTransactions,
        clock: Clock,
    ) -> None:
        self._db = database
        self._payments = payments
        self._attempts = attempts
        self._record = record
        self._settle = settle
        self._clock = clock

    async def __call__(self, key: uuid.UUID) -> list[Payment]:
        """The payments as they are now; what the gateway must still end is left to the loop."""
        pending = await self._db.retrying(lambda tx: self._void(tx, key))
        await self._settle.promptly(pending)
        async with self._db.reading() as tx:
            return await self._payments.of_order(tx, key)

    async def _void(self, tx: Tx, key: uuid.UUID) -> list[Transaction]:
        now = self._clock.now()
        # A confirm that is still on its way then finds its attempt released, and debits nothing.
        await self._attempts.end_all(tx, key, "RELEASED", now)
        payments = await self._payments.of_order(tx, key, lock=True)
        ids = [p.id for p in payments]
        rows = await self._payments.transactions(tx, ids)
        # A refund that a person asked for is the cancel's from now on: declined, it needs attention.
        await self._payments.take_over_refunds(tx, ids)
        return await self._record(tx, cancel(payments, rows, now), now)
