"""CaptureShipped: units of an order have shipped, and its cards take what they are worth. Never refused."""

from __future__ import annotations

import uuid

from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money.shipped import capture_shipped, missing
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Transaction


class CaptureShipped:
    """Idempotent: what has shipped is passed as a whole, and only what is missing of it is asked for."""

    def __init__(self, books: Books, settle: SettleTransactions) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle

    async def __call__(self, key: uuid.UUID, shipped: int) -> tuple[list[Payment], int]:
        """The payments as they are now, and what is missing; what the gateway has still to answer is left to the loop."""
        pending = await self._units.retrying(lambda work: self._capture(work, key, shipped))
        await self._settle.promptly(pending)
        async with self._units.reading() as work:
            payments = await work.payments.of_order(key)
        return payments, missing(payments, shipped)

    async def _capture(self, work: PaymentWork, key: uuid.UUID, shipped: int) -> list[Transaction]:
        now = self._clock.now()
        payments = await work.payments.of_order(key, lock=True)
        rows = await work.payments.transactions([p.id for p in payments])
        changes = capture_shipped(payments, rows, shipped, now)
        return await self._record(work, changes, now) if changes else []
