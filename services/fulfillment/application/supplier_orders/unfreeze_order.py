"""UnfreezeOrder: the buyer's cancel was refused."""

from __future__ import annotations

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.freeze import unfreeze
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class UnfreezeOrder:
    """The use case. Idempotent."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Takes a freeze back; not that of a change, should the call come late. Returns every supplier order of the order,
        by number.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            await work.reservations.set_freeze(order_key, Freeze.NONE, self._clock.now())
            other = await work.reservations.changing(order_key)
            return await apply_action(work, self._clock, order_key, (lambda orders, now: Change()) if other else unfreeze)

        return await self._units.retrying(decide)
