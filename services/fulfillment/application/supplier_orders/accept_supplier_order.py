"""AcceptSupplierOrder: the supplier says yes."""

from __future__ import annotations

from libs.auth import Principal
from libs.clock import Clock
from libs.idempotency.key import RequestKey
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.supplier_orders.supplier_orders import visible
from services.fulfillment.domain.supplier_orders.actions.answer import accept
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class AcceptSupplierOrder:
    """The use case; it reports to the order service after its commit."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock

    async def __call__(self, caller: Principal, id: str, request: RequestKey | None) -> SupplierOrder:
        """From OPEN to ACCEPTED. Raises SUPPLIER_ORDER_STATUS_CONFLICT."""

        async def decide(work: FulfillmentWork) -> tuple[SupplierOrder, bool]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now)
            order = await visible(work, caller, id, lock=True)
            after = order if replayed is not None else accept(order, now)
            if after is not order:
                await work.orders.save([after], now)
            return after, after is not order

        order, changed = await self._units.retrying(decide)
        if changed:
            await self._reporting.report([order])
        return order
