"""FreezeOrder: the first step of the buyer's cancel."""

from __future__ import annotations

from libs.clock import Clock
from services.fulfillment.application.ports import ReservationPort, Transactions, Tx
from services.fulfillment.application.supplier_orders.order_changes import OrderChanges
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class FreezeOrder:
    """The use case. Idempotent."""

    def __init__(self, transactions: Transactions, reservations: ReservationPort, changes: OrderChanges, clock: Clock) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._changes = changes
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Keeps everything from shipping, what the confirm is still to create included. Raises ORDER_ALREADY_SHIPPED.

        Returns every supplier order of the order, by number.
        """

        async def work(tx: Tx) -> list[SupplierOrder]:
            await self._reservations.set_freeze(tx, order_key, Freeze.FROZEN, self._clock.now())
            return await self._changes.apply(tx, order_key, freeze)

        return await self._transactions.retrying(work)
