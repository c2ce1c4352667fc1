"""DeliverOpenUnits: what needs no shipment and was not on hand, or was frozen or on hold, is delivered when it can be."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from libs.clock import Clock
from libs.obs import get_logger
from libs.service.loops import Pace, one_by_one
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.stock.ledger import summed_by_record
from services.fulfillment.domain.supplier_orders.actions.change import settled, touched
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

_LOG = get_logger("fulfillment.deliveries")


class DeliverOpenUnits:
    """The look of a background loop; safe in every replica.

    All are delivered in one transaction. When it fails each is tried by itself, so that one that cannot be delivered keeps
    no other waiting; one that failed stays by itself until it went.
    """

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock, pace: Pace) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock
        self._pace = pace

    async def once(self) -> int:
        """Delivers what is on hand by now; returns of how many supplier orders."""
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            found = await work.orders.deliverable(self._clock.now(), self._pace.batch)
        alone = [key for key, failed in found.items() if failed]
        together = [key for key, failed in found.items() if not failed]
        changed = 0
        try:
            changed = await self._report(together)
        except Exception as error:
            _LOG.warning("delivering one by one", error=type(error).__name__)
            alone += together
        return changed + await one_by_one(alone, self._one, _LOG, self._pace.tries)

    async def _one(self, key: UUID) -> bool:
        return await self._report([key]) > 0

    async def _report(self, keys: Sequence[UUID]) -> int:
        if not keys:
            return 0
        changed = await self._units.retrying(partial(self._deliver, keys))
        await self._reporting.report(changed)
        return len(changed)

    async def _deliver(self, keys: Sequence[UUID], work: FulfillmentWork) -> list[SupplierOrder]:
        now = self._clock.now()
        before = await work.orders.of_keys(keys, lock=True)
        records = {a.record_key for o in before for line in o.lines if not line.shippable for a in line.allocations if a.unpacked}
        delivery = Delivery(await work.stock.of_keys([key for key in records if key is not None], lock=True))
        pairs = zip(before, delivery.of(before), strict=True)
        after = [settled(touched(new, now), now) for old, new in pairs if new is not old]
        await work.orders.save_units({o.key: o for o in before}, after, now)
        await work.stock.book(delivery.movements, summed_by_record(delivery.movements), now)
        return after
