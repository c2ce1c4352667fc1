"""ForwardOrder: splits the implicit supplier order by supplier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.clock import Clock
from libs.errors import missing
from libs.ids import IdSource
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.answer_time import timed
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class ForwardOrder:
    """The use case. Idempotent: an order that is forwarded stays as it is."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Every supplier order of the order, by number. Raises ORDER_ALREADY_SHIPPED, and NOT_FOUND before the order's
        confirm has come.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            reserved = await work.reservations.confirmed(order_key)
            if reserved is None:
                raise missing("order", order_key)

            def forwarded(orders: Sequence[SupplierOrder], now: datetime) -> Change:
                made = forward(orders, reserved.order_xp, reserved.costs, self._ids.key, now)
                return timed(made, reserved.accept_within, now)

            return await apply_action(work, self._clock, order_key, forwarded)

        return await self._units.retrying(decide)
