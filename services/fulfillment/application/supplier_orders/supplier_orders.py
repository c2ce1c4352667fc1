"""Get, list and update supplier orders, and what the order service reads of whole orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import missing, stale
from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork, XpEdit
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.supplier_orders.actions.change import touched
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import supplier_orders

RESOURCE = "supplier order"


@dataclass(frozen=True, slots=True)
class OrderFulfillment:
    """Everything of some buyer orders; `left` are the keys of those that did not fit."""

    orders: Sequence[SupplierOrder]
    shipments: Sequence[Shipment]
    left: Sequence[str]


async def visible(work: FulfillmentWork, caller: Principal, id: str, lock: bool = False) -> SupplierOrder:
    """The supplier order, or NOT_FOUND when there is none that the caller may see."""
    seen = supplier_orders(caller)
    found = await work.orders.of_ids([id], lock)
    if not found or not seen.of_supplier(found[0].supplier_id):
        raise missing(RESOURCE, id)
    return found[0]


class SupplierOrders:
    """The use cases of reading, and of the owner's data."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock

    async def get(self, caller: Principal, id: str) -> SupplierOrder:
        """One that the caller may see."""
        async with self._units.reading(snapshot=True) as work:
            return await visible(work, caller, id)

    async def page(self, caller: Principal, page: PageRequest) -> Page[SupplierOrder]:
        """Those that the caller may see."""
        async with self._units.reading(snapshot=True) as work:
            return await work.lists.supplier_orders(supplier_orders(caller), page)

    async def counts(self, caller: Principal, filter: str) -> dict[SupplierOrderStatus, int]:
        """How many the caller may see, for every status."""
        async with self._units.reading() as work:
            found = await work.lists.supplier_order_counts(supplier_orders(caller), filter)
        return {status: found.get(status.value, 0) for status in SupplierOrderStatus}

    async def of_orders(self, order_keys: Sequence[str]) -> OrderFulfillment:
        """Everything of some buyer orders, as far as it fits into one answer."""
        async with self._units.reading(snapshot=True) as work:
            keys, left = await work.lists.fitting_orders(order_keys)
            orders = await work.orders.of_orders(keys)
            sent = await work.shipments.of_orders(keys)
        return OrderFulfillment(sorted(orders, key=lambda o: (o.order_key, o.number)), sent, left)

    async def update(
        self, caller: Principal, id: str, etag: str, edit: XpEdit | None, request: RequestKey | None
    ) -> SupplierOrder:
        """Changes xp, in any status. Raises ETAG_MISMATCH when the caller's etag is not the current one."""

        async def decide(work: FulfillmentWork) -> tuple[SupplierOrder, bool]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now)
            order = await visible(work, caller, id, lock=True)
            if replayed is not None:
                return order, False
            if etag and etag != str(order.version):
                raise stale(RESOURCE, id, str(order.version))
            if edit is None:
                return order, False
            after = replace(touched(order, now), xp=edit(order.xp))
            await work.orders.save([after], now)
            return after, True

        order, changed = await self._units.retrying(decide)
        if changed:
            await self._reporting.report([order])
        return order
