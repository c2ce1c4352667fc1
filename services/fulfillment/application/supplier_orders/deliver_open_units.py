"""DeliverOpenUnits: what needs no shipment and was not on hand, or was frozen or on hold, is delivered when it can be."""

from __future__ import annotations

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.stock.ledger import effects
from services.fulfillment.domain.supplier_orders.actions.change import settled, touched
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

BATCH = 100
"""Supplier orders that one transaction delivers from."""


class DeliverOpenUnits:
    """The look of a background loop; safe in every replica."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock

    async def once(self) -> int:
        """Delivers what is on hand by now; returns of how many supplier orders."""
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.orders.deliverable(1):
                return 0
        changed = await self._units.retrying(self._deliver)
        await self._reporting.tell(changed)
        return len(changed)

    async def _deliver(self, work: FulfillmentWork) -> list[SupplierOrder]:
        keys = await work.orders.deliverable(BATCH)
        if not keys:
            return []
        now = self._clock.now()
        before = await work.orders.of_keys(keys, lock=True)
        records = {a.record_key for o in before for line in o.lines if not line.shippable for a in line.allocations if a.unpacked}
        delivery = Delivery(await work.stock.of_keys([key for key in records if key is not None], lock=True))
        pairs = zip(before, delivery.of(before), strict=True)
        after = [settled(touched(new, now), now) for old, new in pairs if new is not old]
        await work.orders.save_units({o.key: o for o in before}, after, now)
        await work.stock.book(delivery.movements, effects(delivery.movements), now)
        return after
