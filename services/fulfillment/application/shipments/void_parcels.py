"""What a cancel does to parcels that have not left: one that holds nothing else is void, out of others its units are taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from libs.clock import Clock
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.domain.shipments.actions.parcel import voided
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


async def void_parcels(
    work: FulfillmentWork, clock: Clock, order_key: str, cancel: Callable[[], Awaitable[list[SupplierOrder]]]
) -> list[SupplierOrder]:
    """Runs `cancel`, which gives all supplier orders of the order as they are afterwards, with the parcels locked before.

    What is frozen is not packed: no parcel comes to be between this and the lock of the supplier orders.
    """
    parcels = await work.shipments.packed(order_key)
    after = await cancel()
    canceled = {o.key for o in after if not any(line.packed for line in o.lines)}
    now = clock.now()
    await work.shipments.save_items(voided(parcels, canceled, now), now)
    return after
