"""ShowWaiting: lines of supplier orders say which of their units wait for stock, and the buyers' orders hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.stock.waiting import Wait, by_record, changed
from services.fulfillment.domain.supplier_orders.actions.change import touched
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class ShowWaiting:
    """The look of a background loop; safe in every replica.

    A receipt may change what a thousand orders wait for. So it changes the record alone, and this look brings the orders after
    it, a batch in each transaction: the supplier orders are locked before the records, as everywhere.
    """

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock, batch: int) -> None:
        """`batch`: records, and supplier orders, in one transaction."""
        self._units = units
        self._reporting = reporting
        self._clock = clock
        self.batch = batch

    async def once(self) -> int:
        """Shows all that has changed; returns of how many supplier orders."""
        found = 0
        while True:
            async with self._units.reading() as work:
                # Most looks find nothing: those take no write lock.
                records = await work.waiting.changed(self.batch)
            if not records:
                return found
            orders = await self._units.retrying(partial(self._show, records))
            await self._reporting.report(orders)
            found += len(orders)
            if len(orders) < self.batch and (len(records) < self.batch or not orders):
                return found

    async def _show(self, records: Sequence[UUID], work: FulfillmentWork) -> list[SupplierOrder]:
        now = self._clock.now()
        # Read before the lock they may be some too many or too few: the next look sees to those.
        likely = changed(await work.waiting.held(records), await work.waiting.sources(records))
        wanted = list(dict.fromkeys(h.supplier_order_key for h in likely))[: self.batch]
        before = {order.key: order for order in await work.orders.of_keys(wanted, lock=True)}
        sources = await work.waiting.sources(records, lock=True)
        held = await work.waiting.held(records)
        every = changed(held, sources)
        waits = {h: wait for h, wait in every.items() if h.supplier_order_key in before}
        left = {h.record_key for h in every.keys() - waits.keys()}
        looked = {key: source for key, source in sources.items() if key not in left}
        shown = {h.allocation_key: wait for h, wait in waits.items()}
        moved = {h.supplier_order_key for h in waits}
        after = [touched(_showing(order, shown), now) for key, order in before.items() if key in moved]
        await work.orders.save(after, now)
        await work.waiting.show(waits, looked, by_record(held, sources))
        return after


def _showing(order: SupplierOrder, shown: dict[UUID, Wait]) -> SupplierOrder:
    """The supplier order with what is shown of its allocations from now on."""
    lines = []
    for line in order.lines:
        held = tuple(
            replace(a, backordered=shown[a.key].units, expected_time=shown[a.key].expected_time) if a.key in shown else a
            for a in line.allocations
        )
        lines.append(replace(line, allocations=held) if any(a.key in shown for a in line.allocations) else line)
    return replace(order, lines=tuple(lines))
