"""UpdatePayment: what its people change of a payment of an order that is not submitted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from libs.clock import Clock
from libs.errors import Violations, missing, stale
from libs.idempotency.key import RequestKey
from libs.protoconv import merge_xp, xp_size_ok
from services.payment.application.payments.order_payments import OrderPayments, OrderRef, refused, submission_in_progress
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.means.declared import shown
from services.payment.domain.means.means import unusable
from services.payment.domain.payments import editing
from services.payment.domain.payments.editing import Edit
from services.payment.domain.payments.payment import Payment, Problem, misstated, untaken
from services.payment.domain.payments.states import State, conflict
from services.payment.domain.payments.transaction import Result

WHERE = "payment"


class UpdatePayment:
    """One transaction, under the lock that a submit takes too: it changes what is reserved afterwards, or nothing."""

    def __init__(self, units: Units, clock: Clock, order_payments: OrderPayments) -> None:
        self._units = units
        self._clock = clock
        self._order_payments = order_payments

    async def __call__(self, order: OrderRef, edit: Edit, request: RequestKey | None) -> Payment:
        """The payment as it is then. Everything that is wrong with it is reported at once."""
        order = await self._order_payments.knowing(order)
        return await self._units.retrying(lambda work: self._update(work, order, edit, request))

    async def _update(self, work: PaymentWork, order: OrderRef, edit: Edit, request: RequestKey | None) -> Payment:
        now = self._clock.now()
        recorded = await work.requests.claim(request, {"ids": [edit.payment_id]}, now)
        await work.attempts.lock(order.key, now)
        existing = await work.payments.of_order(order.key, lock=True)
        before = next((p for p in existing if p.id == edit.payment_id), None)
        if before is None:
            raise missing("payment", edit.payment_id)
        if recorded is not None:
            return before
        if attempt := await work.attempts.live(order.key):
            raise submission_in_progress(order.id, attempt)
        if edit.etag and edit.etag != str(before.version):
            raise stale("payment", before.id, str(before.version))
        after = await self._judged(work, order, existing, before, edit, now)
        await work.payments.edit(after)
        return after

    async def _judged(
        self, work: PaymentWork, order: OrderRef, existing: list[Payment], before: Payment, edit: Edit, now: datetime
    ) -> Payment:
        found = Violations()
        if "xp" in edit.fields:
            edit = replace(edit, xp=merge_xp(before.xp, edit.xp))
            xp_size_ok(found, f"{WHERE}.xp", edit.xp)
        editing.check(found, WHERE, before, edit)
        found.raise_if_any()
        after = editing.edited(before, edit, now)
        rows = await work.payments.transactions([before.id])
        if any(row.result is Result.PENDING for row in rows):
            # A gateway has still to say what became of an earlier attempt.
            raise conflict(before.id, State.VOID_PENDING, "be changed")
        problems = _of_sum(existing, after, order) if "amount" in edit.fields else []
        problems += untaken([after], order.types)
        means = await self._order_payments.means(work, order, [after])
        problems += unusable([after], means, now)
        if problems:
            raise refused([after], problems, WHERE)
        return shown(after, means.types.get(after.type), means.authorized.get(after.id, 0))


def _of_sum(existing: list[Payment], after: Payment, order: OrderRef) -> list[Problem]:
    """What is wrong with the sum. A second rest is the fault of the changed one, whichever of the two comes later."""
    changed = [after if p.id == after.id else p for p in existing]
    problems = misstated(changed, order.known_total, order.may_exceed)
    return [replace(p, payment_id=after.id) if p.field else p for p in problems]
