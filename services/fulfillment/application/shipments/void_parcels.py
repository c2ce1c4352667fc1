"""What a cancel does to parcels that have not left: one that holds nothing else is void, out of others its units are taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from libs.clock import Clock
from services.fulfillment.application.ports import ShipmentPort, Tx
from services.fulfillment.domain.shipments.actions.parcel import voided
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class VoidParcels:
    """What the use cases that cancel units share."""

    def __init__(self, sent: ShipmentPort, clock: Clock) -> None:
        self._shipments = sent
        self._clock = clock

    async def around(self, tx: Tx, order_key: str, cancel: Callable[[], Awaitable[list[SupplierOrder]]]) -> list[SupplierOrder]:
        """Runs `cancel`, which gives all supplier orders of the order as they are afterwards, with the parcels locked before.

        What is frozen is not packed: no parcel comes to be between this and the lock of the supplier orders.
        """
        parcels = await self._shipments.packed(tx, order_key)
        after = await cancel()
        canceled = {o.key for o in after if not any(line.packed for line in o.lines)}
        now = self._clock.now()
        await self._shipments.save_items(tx, voided(parcels, canceled, now), now)
        return after
