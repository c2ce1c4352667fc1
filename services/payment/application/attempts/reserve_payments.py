"""ReservePayments: the first wave of a submit. Amounts are resolved, balances held, promises noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.errors import exists
from services.payment.application.payments.order_payments import Draft, OrderPayments, OrderRef, placed_after
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.application.redirects.adopt_redirects import AdoptRedirects
from services.payment.domain.attempts.attempt import Judgment, judge, reserve
from services.payment.domain.payments.payment import MAX_PAYMENTS, Payment, Problem, untaken
from services.payment.domain.redirects.redirect import adopt
from waybill.payment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Step:
    """The key of a step of submit, and how it is meant."""

    attempt: int
    deadline: datetime
    validate_only: bool
    must_cover_total: bool


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was reserved, or why not."""

    state: str
    judgment: Judgment


class RefusedError(Exception):
    """Undoes the transaction: a refused try leaves nothing."""

    def __init__(self, judgment: Judgment) -> None:
        super().__init__()
        self.judgment = judgment


class ReservePayments:
    """One transaction. The attempt's row comes first: a repeat, or a release, waits for it or is seen by it."""

    def __init__(self, books: Books, order_payments: OrderPayments, redirects: AdoptRedirects, grace: timedelta) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._order_payments = order_payments
        self._redirects = redirects
        self._grace = grace

    async def __call__(self, order: OrderRef, step: Step, new: Sequence[Draft]) -> Reserved:
        """Idempotent by (order, attempt)."""
        now = self._clock.now()
        made = self._order_payments.compose(order, new, now)
        order = await self._order_payments.knowing(order)
        tried = await self._try(order, step, made, now)
        if await self._redirects.agreed_meanwhile(order.key, tried.judgment.problems):
            return await self._try(order, step, made, self._clock.now())
        return tried

    async def _try(self, order: OrderRef, step: Step, made: Sequence[Payment], now: datetime) -> Reserved:
        if step.validate_only:
            async with self._units.reading() as work:
                existing = await work.payments.of_order(order.key)
                return Reserved("", await self._judge(work, order, step, [*existing, *made], now, lock=False))
        try:
            return await self._units.retrying(lambda work: self._reserve(work, order, step, made, now))
        except RefusedError as refused:
            return Reserved("", refused.judgment)

    async def _reserve(self, work: PaymentWork, order: OrderRef, step: Step, made: Sequence[Payment], now: datetime) -> Reserved:
        stands = await work.attempts.open(order.key, step.attempt, "RESERVED", step.deadline + self._grace, now)
        if not made:
            # Payments that are being added are waited for and seen. A checkout done in one call brings its own: its order
            # came with the attempt begun, so nobody was let in before.
            await work.attempts.lock(order.key, now)
        existing, taken = await work.payments.of_order_or_taken(order.key, [p.id for p in made])
        if stands:
            late = [Problem("", reasons.ATTEMPT_RELEASED, "the attempt was released before")]
            return Reserved(stands, Judgment(existing, late if stands == "RELEASED" else []))
        added = placed_after(existing, made)
        judgment = await self._judge(work, order, step, [*existing, *added], now, lock=True)
        if judgment.problems:
            raise RefusedError(judgment)
        if taken:
            raise exists("payment", min(taken))
        if not await work.means.hold(judgment.demands, now):
            raise AssertionError("balances changed although they are locked")
        changes = adopt(reserve(judgment.payments, step.attempt, now), judgment.agreed, now)
        await self._record(work, changes, now, added)
        await self._redirects.take_over(work, judgment.agreed, step.attempt, now)
        return Reserved("RESERVED", Judgment(list({c.payment.id: c.payment for c in changes}.values()), []))

    async def _judge(
        self, work: PaymentWork, order: OrderRef, step: Step, payments: Sequence[Payment], now: datetime, *, lock: bool
    ) -> Judgment:
        means = await self._order_payments.means(work, order, payments, lock=lock)
        covers, exceeds = step.must_cover_total, order.may_exceed
        judgment = judge(payments, order.total, order.currency, covers, means, now, may_exceed=exceeds)
        judgment.problems.extend(untaken(payments, order.types))
        agreed, lacking = await self._redirects.good(work, order.key, judgment.payments, means, now, lock=lock)
        judgment.agreed.update(agreed)
        judgment.problems.extend(lacking)
        if not payments and (await work.payments.deletion(order.key)).took:
            text = "a deletion of the order has taken its payments: add payments, or delete the order"
            judgment.problems.append(Problem("", reasons.PAYMENTS_DELETED, text))
        if len(payments) > MAX_PAYMENTS:
            text = f"an order has at most {MAX_PAYMENTS} payments"
            judgment.problems.append(Problem("", reasons.TOO_MANY_PAYMENTS, text))
        return judgment
