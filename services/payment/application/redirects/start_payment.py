"""StartPayment: an authorization that waits for its buyer is begun before the order is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.errors import Violations, missing, precondition
from libs.failpoints import Failpoints
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from services.payment.application.payments.order_payments import OrderPayments, OrderRef, submission_in_progress
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.application.redirects.adopt_redirects import AdoptRedirects
from services.payment.domain.means.means import unusable
from services.payment.domain.payments.payment import Payment, Problem, resolve, untaken
from services.payment.domain.payments.states import State, conflict
from services.payment.domain.redirects.redirect import LIVE, PREFIX, Redirect, RedirectEvent, RedirectState, standing
from waybill.payment.v1 import reasons


class StartPayment:
    """Writes that it asks, asks, writes the answer. Whoever comes again is answered the same authorization."""

    def __init__(
        self, books: Books, ids: IdSource, orders: OrderPayments, redirects: AdoptRedirects, failpoints: Failpoints
    ) -> None:
        self._units, self._clock = books.units, books.clock
        self._ids = ids
        self._orders = orders
        self._redirects = redirects
        self._failpoints = failpoints

    async def __call__(
        self, order: OrderRef, payment_id: str, return_url: str, lifetime: timedelta, request: RequestKey | None
    ) -> tuple[Redirect, bool]:
        """The authorization as it is now, and whether this request has begun it. `lifetime` is how long its buyer has."""
        order = await self._orders.knowing(order)
        until = self._clock.now() + lifetime

        async def begin(work: PaymentWork) -> tuple[Redirect, bool]:
            return await self._begin(work, order, payment_id, return_url, until, request)

        row, begun = await self._units.retrying(begin)
        await self._failpoints.reach("payment.redirect.begun")
        return await self._answered(row), begun

    async def _answered(self, row: Redirect) -> Redirect:
        if row.state is RedirectState.ASKED:
            return await self._redirects.settle.begin(row)
        if row.state is RedirectState.ACTION_REQUIRED:
            # A buyer who is back already is not sent there again, though the provider has not called back.
            [looked] = await self._redirects.settle.look([row], self._redirects.patience)
            return looked or row
        return row

    async def _begin(
        self, work: PaymentWork, order: OrderRef, payment_id: str, return_url: str, until: datetime, request: RequestKey | None
    ) -> tuple[Redirect, bool]:
        now = self._clock.now()
        await work.attempts.lock(order.key, now)
        recorded = await work.requests.find(request)
        if recorded is not None:
            again = await work.redirects.get(recorded["redirects"][0])
            if again is not None:
                return again, bool(recorded.get("begun"))
        payment = await self._payable(work, order, payment_id, now)
        known = await work.redirects.of_order(order.key, lock=True)
        row = standing(payment, known, now)
        begun = row is None
        if row is None:
            old = [r.moved(RedirectEvent.END, now, now) for r in known if r.payment_id == payment_id and r.state in LIVE]
            await work.redirects.save([r for r in old if r is not None])
            row = self._new(payment, return_url, until, now)
            await work.redirects.insert(row)
        await work.requests.claim(request, {"redirects": [row.id], "begun": [row.id] if begun else []}, now)
        return row, begun

    async def _payable(self, work: PaymentWork, order: OrderRef, payment_id: str, now: datetime) -> Payment:
        """The payment with the amount that it stands for; raises unless its buyer has something to agree to."""
        attempt = await work.attempts.live(order.key)
        if attempt:
            raise submission_in_progress(order.id, attempt)
        resolved, problems = resolve(
            await work.payments.of_order(order.key), order.total, must_cover=False, may_exceed=order.may_exceed
        )
        payment = next((p for p in resolved if p.id == payment_id), None)
        if payment is None:
            raise missing("payment", payment_id)
        if payment.state is not State.OPEN:
            raise conflict(payment.id, payment.state, "be begun")
        means = await self._orders.means(work, order, [payment])
        _refuse([*problems, *untaken([payment], order.types), *unusable([payment], means, now)])
        if not payment.due or payment.id not in self._redirects.waiting([payment], means):
            text = f"payment {payment.id} does not wait for its buyer"
            raise precondition(reasons.PAYMENT_NEEDS_NO_ACTION, text, payment=payment.id)
        return payment

    def _new(self, payment: Payment, return_url: str, until: datetime, now: datetime) -> Redirect:
        return Redirect(
            id=self._ids.public(PREFIX),
            order_key=payment.order_key,
            payment_id=payment.id,
            type=payment.type,
            credit_card_id=payment.credit_card_id,
            amount=payment.due,
            currency=payment.currency,
            return_url=return_url,
            expire_time=until,
            create_time=now,
            update_time=now,
            # Should nobody write what the provider answers to this call, the loop asks soon.
            ask_time=min(until, now + timedelta(seconds=10)),
        )


def _refuse(problems: Sequence[Problem]) -> None:
    """Raises what is wrong with the payment or the sum of them, if anything is."""
    found = Violations()
    for p in problems:
        if p.field:
            found.add("payment_id", p.reason, p.description)
    found.raise_if_any()
    for p in problems:
        raise precondition(p.reason, p.description)
