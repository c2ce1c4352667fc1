"""StartPayment: the payment service begins an authorization for which its buyer has to act, by what the order owes now."""

from __future__ import annotations

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import invalid, precondition
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from services.order.application.access import require_no_attempt, writable
from services.order.application.peers import Directory, Payments, RedirectDocument
from services.order.application.ports import Units
from services.order.domain.checkout.return_url import allowed, origin_of
from services.order.domain.history import changed
from services.order.domain.model import Order
from services.order.domain.status import Trigger, move
from waybill.order.v1 import reasons


class StartPayment:
    """Of an order that is not submitted. What its buyer agrees to is the payment service's; the order notes that it was begun."""

    def __init__(self, units: Units, payments: Payments, directory: Directory, clock: Clock) -> None:
        self._units = units
        self._payments = payments
        self._directory = directory
        self._clock = clock

    async def __call__(
        self, caller: Principal, order_id: str, payment_id: str, return_url: str, request_id: str, request: RequestKey | None
    ) -> RedirectDocument:
        """The authorization as it is now. A repeat is answered also when the order is submitted by then."""
        now = self._clock.now()
        async with self._units.reading() as work:
            again = await work.requests.find(request) is not None
            order = await writable(work.orders, caller, order_id, now, Trigger.MARK, lock=False)
        if not again:
            require_no_attempt(order, now)
            move(order.id, order.status, Trigger.EDIT)
            if not order.calculated:
                raise precondition(reasons.ORDER_NOT_CALCULATED, f"order {order_id} is not calculated", order=order_id)
            await self._check(order, return_url)
        started = await self._payments.start(order, payment_id, return_url, request_id)
        if not again and (started.begun or request is not None):
            await self._note(caller, order_id, payment_id, started.begun, request)
        return started.document

    async def _note(self, caller: Principal, order_id: str, payment_id: str, begun: bool, request: RequestKey | None) -> None:
        async with self._units.transaction() as work:
            now = self._clock.now()
            if await work.requests.claim(request, {"order": order_id}, now) is not None or not begun:
                return
            order = await writable(work.orders, caller, order_id, now, Trigger.MARK)
            data: JsonObject = {"payment": payment_id}
            after, event = changed(order, "payment_started", caller.user_id, caller.party_id, now, data=data)
            await work.orders.save(order, after, [event])

    async def _check(self, order: Order, return_url: str) -> None:
        """Raises unless the buyer may be sent back there: what the channel names is asked for now, not kept with the order."""
        origin = origin_of(return_url)
        if origin is None:
            text = "must be https, or http of this machine, without a user name, and at most 2,000 characters"
            raise invalid("return_url", reasons.RETURN_URL_NOT_ALLOWED, text)
        asked = (order.buyer_id, order.user.id, order.client_id)
        context = await self._directory.ordering_context(*asked, (), order.guest)
        if not allowed(origin, context.allowed_origins):
            text = f"the channel does not let buyers come back to {origin}"
            raise invalid("return_url", reasons.RETURN_URL_NOT_ALLOWED, text)
