"""Authorizations that would lapse are renewed by the card's token; what the gateway declines needs a person."""

from __future__ import annotations

from datetime import timedelta

from libs.clock import Clock
from services.payment.application.ports import PaymentStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.renewal import renew, renewable
from services.payment.domain.transaction import Transaction

BATCH = 50


class RenewAuthorizations:
    """A background loop, safe in every replica: payments are locked while a renewal is written down, and have one at a
    time. The gateway is asked outside of any transaction; one that is silent is asked on by SettleTransactions."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        record: RecordChanges,
        settle: SettleTransactions,
        clock: Clock,
        early: timedelta,
    ) -> None:
        self._db = database
        self._payments = payments
        self._record = record
        self._settle = settle
        self._clock = clock
        self._early = early

    async def once(self) -> int:
        """Renews what lapses soon; returns how many authorizations were asked for."""
        until = self._clock.now() + self._early
        async with self._db.reading() as tx:
            # Most looks find nothing: those take no write lock.
            if not await self._payments.any_lapsing(tx, until):
                return 0
        rows = await self._db.retrying(self._begin)
        await self._settle.promptly(rows)
        return len(rows)

    async def _begin(self, tx: Tx) -> list[Transaction]:
        now = self._clock.now()
        until = now + self._early
        found = await self._payments.claim_lapsing(tx, until, BATCH)
        rows = await self._payments.transactions(tx, [p.id for p in found])
        by_payment = {p.id: [row for row in rows if row.payment_id == p.id] for p in found}
        changes = [renew(p) for p in found if renewable(p, by_payment[p.id], until)]
        return await self._record(tx, changes, now) if changes else []
