"""ConfirmPayments and ReleasePayments: commands, idempotent by (order, attempt)."""

from __future__ import annotations

import uuid

from libs.obs import get_logger
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.attempts.attempt import confirm, release
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Transaction

_LOG = get_logger("payment.attempts")


class EndAttempt:
    """RESERVED ends in CONFIRMED or RELEASED; repeats return that state."""

    def __init__(self, books: Books, settle: SettleTransactions) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle

    async def confirm(self, key: uuid.UUID, attempt: int) -> tuple[str, list[Payment]]:
        """Debits accounts, notes receivables, keeps authorizations for capture. Never refused."""
        return await self._units.retrying(lambda work: self._confirm(work, key, attempt))

    async def _confirm(self, work: PaymentWork, key: uuid.UUID, attempt: int) -> tuple[str, list[Payment]]:
        now = self._clock.now()
        moved, stands = await work.attempts.end(key, attempt, "CONFIRMED", now)
        if not moved:
            # What was never reserved has nothing to make permanent; the decision is kept all the same.
            return stands, await work.payments.of_order(key)
        payments = await work.payments.of_order(key, lock=True)
        changes = confirm([p for p in payments if p.attempt == attempt], now)
        await self._record(work, changes, now)
        after = {p.id: p for p in payments} | {c.payment.id: c.payment for c in changes}
        for p in after.values():
            if p.state is State.ATTENTION:
                _LOG.error("confirmed_without_authorization", payment=p.id, order=p.order_id)
        return "CONFIRMED", list(after.values())

    async def release(self, key: uuid.UUID, attempt: int) -> str:
        """Frees balances at once; what a gateway may hold becomes VOID_PENDING, and is voided beside."""
        state, voids = await self._units.retrying(lambda work: self._release(work, key, attempt))
        await self._settle.promptly(voids)
        return state

    async def _release(self, work: PaymentWork, key: uuid.UUID, attempt: int) -> tuple[str, list[Transaction]]:
        now = self._clock.now()
        moved, stands = await work.attempts.end(key, attempt, "RELEASED", now)
        if not moved:
            return stands, []
        payments = await work.payments.of_order(key, lock=True)
        mine = [p for p in payments if p.attempt == attempt]
        authorized = any(p.state is State.AUTHORIZED for p in mine)
        kept = await work.redirects.let_go(key, attempt, now) if authorized else {}
        changes = release(mine, kept, now)
        return "RELEASED", await self._record(work, changes, now)
