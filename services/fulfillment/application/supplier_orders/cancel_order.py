"""CancelOrder: the last step of the buyer's cancel, which the order service has decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.shipments.void_parcels import void_parcels
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.stock.ledger import Cause
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class CancelOrder:
    """The use case. Idempotent."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Cancels everything and returns its stock; what the confirm is still to create is canceled at once.

        Returns every supplier order of the order, by number.
        """

        def ended(orders: Sequence[SupplierOrder], now: datetime) -> Change:
            return cancel(orders, Cause(order_key), now)

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            await work.reservations.set_freeze(order_key, Freeze.CANCELED, self._clock.now())
            return await void_parcels(work, self._clock, order_key, lambda: apply_action(work, self._clock, order_key, ended))

        return await self._units.retrying(decide)
