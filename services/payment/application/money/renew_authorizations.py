"""Authorizations that would lapse are renewed by the card's token; what the gateway declines needs a person."""

from __future__ import annotations

import uuid
from datetime import timedelta

from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from libs.service.loops import Pace, one_by_one, put_off
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.peers import OrderPeer
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money.renewal import tend
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Transaction

_LOG = get_logger("payment.renewals")


class RenewAuthorizations:
    """A background loop, safe in every replica: payments are locked while a renewal is written down, and have one at a
    time. Each order is taken up by itself, and one that fails waits longer each time: it keeps no other from being renewed.
    The gateway is asked outside of any transaction; one that is silent is asked on by SettleTransactions."""

    def __init__(self, books: Books, settle: SettleTransactions, orders: OrderPeer, early: timedelta, pace: Pace) -> None:
        """`early`: how long before it lapses an authorization is renewed."""
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle
        self._orders = orders
        self._early = early
        self._pace = pace

    async def once(self) -> int:
        """Renews what lapses soon, notes what has lapsed; returns how many authorizations were asked for."""
        now = self._clock.now()
        until = now + self._early
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            keys = await work.payments.lapsing(now, until, self._pace.batch)
            unknown = keys - await work.payments.ended(keys)
        ended = await self._ended(unknown)
        asked = keys if ended is not None else keys - unknown
        begun: list[Transaction] = []

        async def begin(key: uuid.UUID) -> bool:
            rows = await self._units.retrying(lambda work: self._begin(work, key, key in (ended or ())))
            begun.extend(rows)
            return bool(rows)

        await one_by_one(sorted(asked), begin, _LOG, self._pace.tries)
        await self._settle.promptly(begun)
        return len(begun)

    async def _ended(self, keys: set[uuid.UUID]) -> set[uuid.UUID] | None:
        """Which of these orders have ended, as the order service says; None when it does not say."""
        if not keys:
            return set()
        try:
            return await self._orders.ended(keys, captured=True)
        except WaybillError as error:
            # Nothing is decided without knowing: there is a day left to ask again.
            if error.defect or error.kind is not Kind.UNAVAILABLE:
                for key in keys:
                    await put_off(key, error, _LOG, self._pace.tries)
            else:
                _LOG.info("renewal_postponed", orders=len(keys), reason=error.reason)
            return None

    async def _begin(self, work: PaymentWork, key: uuid.UUID, has_ended: bool) -> list[Transaction]:
        now = self._clock.now()
        until = now + self._early
        await work.payments.note_ends({key} if has_ended else set(), now)
        found = await work.payments.claim_lapsing(key, now, until)
        over = await work.payments.ended({key})
        rows = await work.payments.transactions([p.id for p in found])
        changes = [change for p in found for change in tend(p, rows, until, key in over, now)]
        for payment in {c.payment.id: c.payment for c in changes}.values():
            if payment.state is State.ATTENTION:
                _LOG.error("authorization_lapsed", payment=payment.id, order=payment.order_id)
        return await self._record(work, changes, now) if changes else []
