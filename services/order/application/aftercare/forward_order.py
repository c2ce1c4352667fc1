"""ForwardOrder: splits an open order into one supplier order per supplier."""

from __future__ import annotations

from libs.auth import Principal
from libs.clock import Clock
from libs.idempotency.key import RequestKey
from services.order.application.access import readable, require_settled
from services.order.application.peers import Fulfillment
from services.order.application.ports import Units
from services.order.application.progress.report_fulfillment import ReportFulfillment
from services.order.application.records import SupplierOrderView
from services.order.domain.model import Order
from services.order.domain.status import Trigger, move
from services.order.domain.submission.forwarding import may_be_unforwarded


class ForwardOrder:
    """For the seller; a forwarded order stays as it is."""

    def __init__(self, units: Units, fulfillment: Fulfillment, report: ReportFulfillment, clock: Clock) -> None:
        self._units = units
        self._fulfillment = fulfillment
        self._report = report
        self._clock = clock

    async def __call__(
        self, caller: Principal, order_id: str, request: RequestKey | None
    ) -> tuple[Order, list[SupplierOrderView]]:
        """The buyer order and its supplier orders.

        The request is recorded before fulfillment is called, so that another one under its id forwards nothing; a repeat
        goes on where the first call stopped.
        """
        async with self._units.transaction() as work:
            await work.requests.claim(request, {"order": order_id}, self._clock.now())
            order = await readable(work.orders, caller, order_id)
            forwards = may_be_unforwarded(order)
            if forwards:
                move(order.id, order.status, Trigger.FORWARD)
                require_settled(order)
        if forwards:
            await self._report(await self._fulfillment.forward(order.key))
        async with self._units.reading(snapshot=True) as work:
            order = await readable(work.orders, caller, order_id)
            views = await work.reports.supplier_orders([order.key])
            return order, [view for view in views if not view.moved]
