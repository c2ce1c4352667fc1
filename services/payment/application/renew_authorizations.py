"""Authorizations that would lapse are renewed by the card's token; what the gateway declines needs a person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.errors import WaybillError
from libs.obs import get_logger, metrics
from services.payment.application.ports import OrderPeer, PaymentStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.course import Change
from services.payment.domain.payment import Payment
from services.payment.domain.renewal import tend
from services.payment.domain.states import State
from services.payment.domain.transaction import Transaction

BATCH = 50
_LOG = get_logger("payment.renewals")


class RenewAuthorizations:
    """A background loop, safe in every replica: payments are locked while a renewal is written down, and have one at a
    time. The gateway is asked outside of any transaction; one that is silent is asked on by SettleTransactions."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        record: RecordChanges,
        settle: SettleTransactions,
        orders: OrderPeer,
        clock: Clock,
        early: timedelta,
    ) -> None:
        self._db = database
        self._payments = payments
        self._record = record
        self._settle = settle
        self._orders = orders
        self._clock = clock
        self._early = early

    async def once(self) -> int:
        """Renews what lapses soon, notes what has lapsed; returns how many authorizations were asked for."""
        now = self._clock.now()
        until = now + self._early
        async with self._db.reading() as tx:
            # Most looks find nothing: those take no write lock.
            keys = await self._payments.lapsing(tx, now, until, BATCH)
            unknown = keys - await self._payments.ended(tx, keys)
        if not keys:
            return 0
        try:
            ended = await self._orders.ended(unknown) if unknown else set()
        except WaybillError as error:
            # Nothing is decided without knowing: there is a day left to ask again.
            _LOG.info("renewal_postponed", orders=len(unknown), reason=error.reason)
            return 0
        rows = await self._db.retrying(lambda tx: self._begin(tx, keys, ended))
        await self._settle.promptly(rows)
        return len(rows)

    async def _begin(self, tx: Tx, asked: set[uuid.UUID], ended: set[uuid.UUID]) -> list[Transaction]:
        now = self._clock.now()
        until = now + self._early
        await self._payments.note_ends(tx, ended, now)
        # Of an order that came up since it is not known whether it has ended.
        found = [p for p in await self._payments.claim_lapsing(tx, now, until, BATCH) if p.order_key in asked]
        over = await self._payments.ended(tx, {p.order_key for p in found})
        rows = await self._payments.transactions(tx, [p.id for p in found])
        changes = [change for p in found for change in _tended(p, rows, until, p.order_key in over, now)]
        for payment in {c.payment.id: c.payment for c in changes}.values():
            if payment.state is State.ATTENTION:
                _LOG.error("authorization_lapsed", payment=payment.id, order=payment.order_id)
        return await self._record(tx, changes, now) if changes else []


def _tended(payment: Payment, rows: Sequence[Transaction], until: datetime, ended: bool, now: datetime) -> list[Change]:
    """What becomes of one payment; what that fails by keeps no other from being renewed."""
    try:
        return list(tend(payment, rows, until, ended, now))
    except Exception:
        metrics.WORK_FAILURES.labels("payment", "renew").inc()
        _LOG.exception("renewal_failed", payment=payment.id, order=payment.order_id)
        return []
