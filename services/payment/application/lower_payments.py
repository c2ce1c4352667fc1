"""LowerPayments: an open order owes less. Decided already, so that it is never refused."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from services.payment.application.ports import PaymentStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.lowering import lower
from services.payment.domain.payment import Payment
from services.payment.domain.transaction import Transaction


class LowerPayments:
    """Idempotent by order and attempt."""

    def __init__(
        self, database: Transactions, payments: PaymentStore, record: RecordChanges, settle: SettleTransactions, clock: Clock
    ) -> None:
        self._db = database
        self._payments = payments
        self._record = record
        self._settle = settle
        self._clock = clock

    async def __call__(self, key: uuid.UUID, attempt: int, due: int) -> list[Payment]:
        """The payments as they are now; what the gateway has still to answer is left to the loop."""
        pending = await self._db.retrying(lambda tx: self._lower(tx, key, attempt, due))
        await self._settle.promptly(pending)
        async with self._db.reading() as tx:
            return await self._payments.of_order(tx, key)

    async def _lower(self, tx: Tx, key: uuid.UUID, attempt: int, due: int) -> list[Transaction]:
        now = self._clock.now()
        payments = await self._payments.of_order(tx, key, lock=True)
        if not await self._payments.lowered(tx, key, attempt, now):
            return []
        rows = await self._payments.transactions(tx, [p.id for p in payments])
        return await self._record(tx, lower(payments, rows, due, now), now)
