"""CancelOrder: the last step of the buyer's cancel, which the order service has decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.clock import Clock
from services.fulfillment.application.ports import ReservationPort, Transactions, Tx
from services.fulfillment.application.shipments.void_parcels import VoidParcels
from services.fulfillment.application.supplier_orders.order_changes import OrderChanges
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.stock.ledger import Cause
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class CancelOrder:
    """The use case. Idempotent."""

    def __init__(
        self, transactions: Transactions, reservations: ReservationPort, changes: OrderChanges, parcels: VoidParcels, clock: Clock
    ) -> None:
        self._parcels = parcels
        self._transactions = transactions
        self._reservations = reservations
        self._changes = changes
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Cancels everything and returns its stock; what the confirm is still to create is canceled at once.

        Returns every supplier order of the order, by number.
        """

        def ended(orders: Sequence[SupplierOrder], now: datetime) -> Change:
            return cancel(orders, Cause(order_key), now)

        async def work(tx: Tx) -> list[SupplierOrder]:
            await self._reservations.set_freeze(tx, order_key, Freeze.CANCELED, self._clock.now())
            return await self._parcels.around(tx, order_key, lambda: self._changes.apply(tx, order_key, ended))

        return await self._transactions.retrying(work)
