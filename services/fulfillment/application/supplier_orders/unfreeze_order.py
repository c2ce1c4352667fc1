"""UnfreezeOrder: the buyer's cancel was refused."""

from __future__ import annotations

from libs.clock import Clock
from services.fulfillment.application.ports import ReservationPort, Transactions, Tx
from services.fulfillment.application.supplier_orders.order_changes import OrderChanges
from services.fulfillment.domain.sourcing.reservation import Freeze
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.freeze import unfreeze
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class UnfreezeOrder:
    """The use case. Idempotent."""

    def __init__(self, transactions: Transactions, reservations: ReservationPort, changes: OrderChanges, clock: Clock) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._changes = changes
        self._clock = clock

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Takes a freeze back; not that of a change, should the call come late. Returns every supplier order of the order,
        by number.
        """

        async def work(tx: Tx) -> list[SupplierOrder]:
            await self._reservations.set_freeze(tx, order_key, Freeze.NONE, self._clock.now())
            other = await self._reservations.changing(tx, order_key)
            return await self._changes.apply(tx, order_key, (lambda orders, now: Change()) if other else unfreeze)

        return await self._transactions.retrying(work)
