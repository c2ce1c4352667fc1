"""ForwardOrder: splits the implicit supplier order by supplier."""

from __future__ import annotations

from libs.errors import missing
from libs.ids import IdSource
from services.fulfillment.application.ports import ReservationPort, Transactions, Tx
from services.fulfillment.application.supplier_orders.order_changes import OrderChanges
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class ForwardOrder:
    """The use case. Idempotent: an order that is forwarded stays as it is."""

    def __init__(self, transactions: Transactions, reservations: ReservationPort, changes: OrderChanges, ids: IdSource) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._changes = changes
        self._ids = ids

    async def __call__(self, order_key: str) -> list[SupplierOrder]:
        """Every supplier order of the order, by number. Raises ORDER_ALREADY_SHIPPED, and NOT_FOUND before the order's
        confirm has come.
        """

        async def work(tx: Tx) -> list[SupplierOrder]:
            reserved = await self._reservations.confirmed(tx, order_key)
            if reserved is None:
                raise missing("order", order_key)
            return await self._changes.apply(
                tx, order_key, lambda orders, now: forward(orders, reserved.order_xp, self._ids.key, now)
            )

        return await self._transactions.retrying(work)
