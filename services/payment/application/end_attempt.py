"""ConfirmPayments and ReleasePayments: commands, idempotent by (order, attempt)."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from libs.obs import get_logger
from services.payment.application.ports import AttemptStore, PaymentStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.attempt import confirm, release
from services.payment.domain.payment import Payment
from services.payment.domain.states import State
from services.payment.domain.transaction import Transaction

_LOG = get_logger("payment.attempts")


class EndAttempt:
    """RESERVED ends in CONFIRMED or RELEASED; repeats return that state."""

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

    async def confirm(self, key: uuid.UUID, attempt: int) -> tuple[str, list[Payment]]:
        """Debits accounts, notes receivables, keeps authorizations for capture. Never refused."""
        return await self._db.retrying(lambda tx: self._confirm(tx, key, attempt))

    async def _confirm(self, tx: Tx, key: uuid.UUID, attempt: int) -> tuple[str, list[Payment]]:
        now = self._clock.now()
        moved, stands = await self._attempts.end(tx, key, attempt, "CONFIRMED", now)
        if not moved:
            # What was never reserved has nothing to make permanent; the decision is kept all the same.
            return stands, await self._payments.of_order(tx, key)
        payments = await self._payments.of_order(tx, key, lock=True)
        changes = confirm([p for p in payments if p.attempt == attempt], now)
        await self._record(tx, changes, now)
        after = {p.id: p for p in payments} | {c.payment.id: c.payment for c in changes}
        for p in after.values():
            if p.state is State.ATTENTION:
                _LOG.error("confirmed_without_authorization", payment=p.id, order=p.order_id)
        return "CONFIRMED", list(after.values())

    async def release(self, key: uuid.UUID, attempt: int) -> str:
        """Frees balances at once; what a gateway may hold becomes VOID_PENDING, and is voided beside."""
        state, voids = await self._db.retrying(lambda tx: self._release(tx, key, attempt))
        await self._settle.promptly(voids)
        return state

    async def _release(self, tx: Tx, key: uuid.UUID, attempt: int) -> tuple[str, list[Transaction]]:
        now = self._clock.now()
        moved, stands = await self._attempts.end(tx, key, attempt, "RELEASED", now)
        if not moved:
            return stands, []
        payments = await self._payments.of_order(tx, key, lock=True)
        changes = release([p for p in payments if p.attempt == attempt], now)
        return "RELEASED", await self._record(tx, changes, now)
