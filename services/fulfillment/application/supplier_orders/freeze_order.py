"""FreezeOrder: the first step of the buyer's cancel."""

from __future__ import annotations

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class FreezeOrder:
    """The use case. Idempotent."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Keeps everything from shipping, what the confirm is still to create included. Raises ORDER_ALREADY_SHIPPED.

        Returns every supplier order of the order, by number.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            await work.reservations.set_freeze(order_key, Freeze.FROZEN, self._clock.now())
            return await apply_action(work, self._clock, order_key, freeze)

        return await self._units.retrying(decide)
