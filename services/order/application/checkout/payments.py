"""Add-, Update-, Remove- and ListPayments: the payment service owns them, the order service passes what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import WaybillError, missing
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from services.order.application.access import readable, require_no_attempt, writable
from services.order.application.peers import Payments
from services.order.application.ports import Units
from services.order.application.records import PaymentDocument
from services.order.domain.history import changed
from services.order.domain.model import Order
from services.order.domain.status import OrderStatus, Trigger, move
from waybill.payment.v1 import reasons as payment_reasons


@dataclass(frozen=True, slots=True)
class ChangedPayment:
    """New values of one payment; the fields that count, or none for those that are set."""

    id: str
    document: PaymentDocument
    fields: Sequence[str]


class OrderPayments:
    """Payments of an order that is not submitted, their replacement while it is open, and reading them ever after."""

    def __init__(self, units: Units, payments: Payments, clock: Clock) -> None:
        self._units = units
        self._payments = payments
        self._clock = clock

    async def add(
        self, caller: Principal, order_id: str, payments: Sequence[PaymentDocument], request_id: str, request: RequestKey | None
    ) -> list[PaymentDocument]:
        """The added payments. Those of an open order replace payments that need attention."""
        now = self._clock.now()
        async with self._units.reading() as work:
            again = await work.requests.find(request) is not None
            order = await writable(work.orders, caller, order_id, now, Trigger.MARK, lock=False)
        if not again:
            require_no_attempt(order, now)
            if order.status is not OrderStatus.OPEN:
                move(order.id, order.status, Trigger.EDIT)
        made = await self._created(caller, order, payments, request_id)
        await self._note(caller, order_id, "payments_added", {"count": len(made)}, request)
        return made

    async def _created(
        self, caller: Principal, order: Order, payments: Sequence[PaymentDocument], request_id: str
    ) -> list[PaymentDocument]:
        """A deletion that did not come to its end gives way: the order gets a version that was not to be deleted."""
        try:
            return await self._payments.create(order, payments, request_id)
        except WaybillError as error:
            if error.reason != payment_reasons.ORDER_BEING_DELETED:
                raise
        async with self._units.transaction() as work:
            now = self._clock.now()
            kept = await writable(work.orders, caller, order.id, now)
            if kept.version == order.version:
                after, event = changed(kept, "order_updated", caller.user_id, caller.party_id, now, data={"fields": []})
                await work.orders.save(kept, after, [event])
                kept = after
        return await self._payments.create(kept, payments, request_id)

    async def update(
        self, caller: Principal, order_id: str, payment: ChangedPayment, request_id: str, request: RequestKey | None
    ) -> PaymentDocument:
        """The payment as it is then."""
        async with self._units.reading() as work:
            again = await work.requests.find(request) is not None
            trigger = Trigger.MARK if again else Trigger.EDIT
            order = await writable(work.orders, caller, order_id, self._clock.now(), trigger, lock=False)
        made = await self._payments.update(order, payment.document, payment.fields, request_id)
        await self._note(caller, order_id, "payment_updated", {"payment": payment.id}, request)
        return made

    async def remove(
        self, caller: Principal, order_id: str, payment_ids: Sequence[str], request_id: str, request: RequestKey | None
    ) -> None:
        """Removes them."""
        async with self._units.reading() as work:
            again = await work.requests.find(request) is not None
            trigger = Trigger.MARK if again else Trigger.EDIT
            order = await writable(work.orders, caller, order_id, self._clock.now(), trigger, lock=False)
        if not again:
            await self._payments.remove(order, payment_ids, request_id)
            await self._note(caller, order_id, "payments_removed", {"count": len(payment_ids)}, request)

    async def list(self, caller: Principal, order_id: str) -> list[PaymentDocument]:
        """All payments of an order; suppliers see none."""
        if caller.party_kind is PartyKind.SUPPLIER:
            raise missing("order", order_id)
        async with self._units.reading() as work:
            order = await readable(work.orders, caller, order_id)
        return (await self._payments.of_orders([order.key])).get(order.key, [])

    async def _note(self, caller: Principal, order_id: str, type: str, data: JsonObject, request: RequestKey | None) -> None:
        async with self._units.transaction() as work:
            now = self._clock.now()
            if await work.requests.claim(request, {"order": order_id}, now) is not None:
                return
            order = await writable(work.orders, caller, order_id, now, Trigger.MARK)
            after, event = changed(order, type, caller.user_id, caller.party_id, now, data=data)
            await work.orders.save(order, after, [event])
