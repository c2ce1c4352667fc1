"""CreatePayments of an open order: payments that take the place of one which needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from libs.clock import Clock
from libs.errors import WaybillError, precondition
from services.payment.application.order_payments import (
    Draft,
    OrderPayments,
    OrderRef,
    placed_after,
    refused,
    submission_in_progress,
)
from services.payment.application.ports import AttemptStore, MeansStore, PaymentStore, Request, RequestStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.means import demands, unusable
from services.payment.domain.payment import MAX_PAYMENTS, Payment, Problem, resolve
from services.payment.domain.replacement import begin, replaceable
from services.payment.domain.transaction import Transaction


class ReplacePayments:
    """One transaction; then the gateway is asked, for a short time, and on by the loop when it is silent."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        attempts: AttemptStore,
        means: MeansStore,
        requests: RequestStore,
        order_payments: OrderPayments,
        record: RecordChanges,
        settle: SettleTransactions,
        clock: Clock,
    ) -> None:
        self._db = database
        self._payments = payments
        self._attempts = attempts
        self._means = means
        self._requests = requests
        self._order_payments = order_payments
        self._record = record
        self._settle = settle
        self._clock = clock

    async def __call__(self, order: OrderRef, drafts: Sequence[Draft], request: Request) -> list[Payment]:
        """The new payments as they are now. Raises `PAYMENT_NOT_REPLACEABLE`, and everything that is wrong with them."""
        made = self._order_payments.compose(order, drafts, self._clock.now())
        ids, asked = await self._db.retrying(lambda tx: self._begin(tx, order, made, request))
        await self._settle.promptly(asked)
        async with self._db.reading() as tx:
            by_id = {p.id: p for p in await self._payments.of_order(tx, order.key)}
        return [by_id[id] for id in ids if id in by_id]

    async def _begin(
        self, tx: Tx, order: OrderRef, made: Sequence[Payment], request: Request
    ) -> tuple[list[str], list[Transaction]]:
        now = self._clock.now()
        ids = [p.id for p in made]
        recorded = await self._requests.claim(tx, request, {"ids": ids}, now)
        if recorded is not None:
            return list(recorded["ids"]), []
        await self._attempts.lock(tx, order.key, now)
        attempt = await self._attempts.live(tx, order.key)
        if attempt and await self._attempts.state(tx, order.key, attempt) != "CONFIRMED":
            raise submission_in_progress(order.id, attempt)
        payments = await self._payments.of_order(tx, order.key, lock=True)
        rows = await self._payments.transactions(tx, [p.id for p in payments])
        room = replaceable(payments, rows)
        if not attempt or not room:
            raise _not_replaceable(order)
        placed = await self._judged(tx, order, placed_after(payments, made), len(payments), room, now)
        await self._payments.insert(tx, placed)
        return ids, await self._record(tx, begin(payments, rows, placed, attempt, now), now)

    async def _judged(
        self, tx: Tx, order: OrderRef, placed: Sequence[Payment], others: int, room: int, now: datetime
    ) -> list[Payment]:
        """Payments with their amounts, their balances held; raises with all that is wrong."""
        resolved, problems = resolve(placed, room, must_cover=False)
        above = "the payments are above what there is to replace"
        problems = [replace(p, description=above) if p.reason == "PAYMENT_EXCEEDS_TOTAL" else p for p in problems]
        means = await self._order_payments.means(tx, resolved, lock=True)
        wanted, short = demands(resolved, means.accounts)
        problems += [*unusable(resolved, means, now), *short]
        if others + len(resolved) > MAX_PAYMENTS:
            text = f"an order has at most {MAX_PAYMENTS} payments"
            problems.append(Problem("", "TOO_MANY_PAYMENTS", text, field="payments"))
        if problems:
            raise refused(resolved, problems)
        if not all(p.due for p in resolved):
            raise _not_replaceable(order)
        if not await self._means.hold(tx, wanted):
            raise AssertionError("balances changed although they are locked")
        return resolved


def _not_replaceable(order: OrderRef) -> WaybillError:
    text = f"no payment of order {order.id} has to be replaced, or as much as is needed is on its way"
    return precondition("PAYMENT_NOT_REPLACEABLE", text, order=order.id)
