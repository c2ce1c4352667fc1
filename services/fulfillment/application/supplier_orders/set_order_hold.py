"""SetOrderHold: the fraud or manual hold of a whole buyer order."""

from __future__ import annotations

from libs.clock import Clock
from libs.errors import missing
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.supplier_orders.actions.hold import hold
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, by_id


class SetOrderHold:
    """The use case. The newest version known decides."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, order_key: str, held: bool, version: int) -> list[SupplierOrder]:
        """Holds the order back from shipping, or ends that; what the confirm is still to create included. A version older
        than one that is known changes nothing. Raises NOT_FOUND for an order that never reserved anything.

        Returns every supplier order of the order, by number.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            if await work.reservations.set_held(order_key, held, version, self._clock.now()):
                return await apply_action(work, self._clock, order_key, lambda orders, now: hold(orders, held, now))
            orders = await work.orders.of_orders([order_key], lock=True)
            if not orders:
                raise missing("order", order_key)
            return by_id(orders)

        return await self._units.retrying(decide)
