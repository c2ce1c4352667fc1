"""CreatePayments of an open order: payments that take the place of one which needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from libs.errors import WaybillError, precondition
from libs.idempotency.key import RequestKey
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.payments.order_payments import (
    Draft,
    OrderPayments,
    OrderRef,
    placed_after,
    refused,
    submission_in_progress,
)
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.means.declared import unaccepted
from services.payment.domain.means.means import demands, in_units, unusable
from services.payment.domain.money.replacement import begin, replaceable
from services.payment.domain.payments.payment import MAX_PAYMENTS, Payment, Problem, resolve, untaken
from services.payment.domain.payments.transaction import Transaction
from waybill.payment.v1 import reasons


class ReplacePayments:
    """One transaction; then the gateway is asked, for a short time, and on by the loop when it is silent."""

    def __init__(self, books: Books, order_payments: OrderPayments, settle: SettleTransactions) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._order_payments = order_payments
        self._settle = settle

    async def __call__(self, order: OrderRef, drafts: Sequence[Draft], request: RequestKey | None) -> list[Payment]:
        """The new payments as they are now. Raises `PAYMENT_NOT_REPLACEABLE`, and everything that is wrong with them."""
        made = self._order_payments.compose(order, drafts, self._clock.now())
        order = await self._order_payments.knowing(order)
        ids, asked = await self._units.retrying(lambda work: self._begin(work, order, made, request))
        await self._settle.promptly(asked)
        async with self._units.reading() as work:
            by_id = {p.id: p for p in await work.payments.of_order(order.key)}
        return [by_id[id] for id in ids if id in by_id]

    async def _begin(
        self, work: PaymentWork, order: OrderRef, made: Sequence[Payment], request: RequestKey | None
    ) -> tuple[list[str], list[Transaction]]:
        now = self._clock.now()
        ids = [p.id for p in made]
        recorded = await work.requests.claim(request, {"ids": ids}, now)
        if recorded is not None:
            return list(recorded["ids"]), []
        await work.attempts.lock(order.key, now)
        attempt = await work.attempts.live(order.key)
        if attempt and await work.attempts.state(order.key, attempt) != "CONFIRMED":
            raise submission_in_progress(order.id, attempt)
        payments = await work.payments.of_order(order.key, lock=True)
        rows = await work.payments.transactions([p.id for p in payments])
        room = replaceable(payments, rows)
        if not attempt or not room:
            raise _not_replaceable(order)
        placed = await self._judged(work, order, placed_after(payments, made), len(payments), room, now)
        await work.payments.require_free([p.id for p in placed])
        return ids, await self._record(work, begin(payments, rows, placed, attempt, now), now, placed)

    async def _judged(
        self, work: PaymentWork, order: OrderRef, placed: Sequence[Payment], others: int, room: int, now: datetime
    ) -> list[Payment]:
        """Payments with their amounts, their balances held; raises with all that is wrong."""
        resolved, problems = resolve(placed, room, must_cover=False)
        above = "the payments are above what there is to replace"
        problems = [replace(p, description=above) if p.reason == reasons.PAYMENT_EXCEEDS_TOTAL else p for p in problems]
        means = await self._order_payments.means(work, order, resolved, lock=True)
        resolved = in_units(resolved, means.accounts)
        wanted, short = demands(resolved, means.accounts)
        problems += [*untaken(resolved, order.types), *unusable(resolved, means, now), *short]
        problems += unaccepted(resolved, means.types, means.authorized)
        if others + len(resolved) > MAX_PAYMENTS:
            text = f"an order has at most {MAX_PAYMENTS} payments"
            problems.append(Problem("", reasons.TOO_MANY_PAYMENTS, text, field="payments"))
        if problems:
            raise refused(resolved, problems)
        if not all(p.due for p in resolved):
            raise _not_replaceable(order)
        if not await work.means.hold(wanted, now):
            raise AssertionError("balances changed although they are locked")
        return resolved


def _not_replaceable(order: OrderRef) -> WaybillError:
    text = f"no payment of order {order.id} has to be replaced, or as much as is needed is on its way"
    return precondition(reasons.PAYMENT_NOT_REPLACEABLE, text, order=order.id)
