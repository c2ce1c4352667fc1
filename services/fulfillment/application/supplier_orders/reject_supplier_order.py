"""RejectSupplierOrder: the supplier says no, and its units find new homes."""

from __future__ import annotations

from libs.auth import Principal, roles
from libs.clock import Clock
from libs.errors import missing
from libs.ids import IdSource
from services.fulfillment.application.ports import (
    Request,
    RequestPort,
    ReservationPort,
    StockPort,
    SupplierOrderPort,
    Transactions,
    Tx,
)
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.supplier_orders.supplier_orders import RESOURCE, visible
from services.fulfillment.domain.stock.ledger import Cause, effects
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, check_rejectable, reject
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class RejectSupplierOrder:
    """The use case; it reports to the order service after its commit."""

    def __init__(
        self,
        transactions: Transactions,
        stock: StockPort,
        reservations: ReservationPort,
        orders: SupplierOrderPort,
        requests: RequestPort,
        reporting: Reporting,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._transactions = transactions
        self._stock = stock
        self._reservations = reservations
        self._orders = orders
        self._requests = requests
        self._reporting = reporting
        self._clock = clock
        self._ids = ids

    async def __call__(self, caller: Principal, id: str, comment: str, request: Request) -> SupplierOrder:
        """From OPEN to REJECTED; its units find new homes. Raises SUPPLIER_ORDER_STATUS_CONFLICT."""
        caller.require(roles.ORDER_ADMIN)

        async def work(tx: Tx) -> list[SupplierOrder]:
            replayed = await self._requests.claim(tx, request, {}, self._clock.now())
            # What is only read here is locked below, after the order's reservation.
            order = await visible(self._orders, tx, caller, id, lock=replayed is not None)
            if replayed is not None:
                return [order]
            return await self._reject(tx, order, comment)

        changed = await self._transactions.retrying(work)
        await self._reporting.tell(changed)
        return changed[0]

    async def _reject(self, tx: Tx, seen: SupplierOrder, comment: str) -> list[SupplierOrder]:
        """The rejected one first, then all that took its units."""
        now = self._clock.now()
        reserved = await self._reservations.confirmed(tx, seen.order_key)
        if reserved is None:
            raise missing(RESOURCE, seen.id)
        orders = await self._orders.of_orders(tx, [seen.order_key], lock=True)
        order = next(o for o in orders if o.key == seen.key)
        check_rejectable(order)
        stocks = await self._stock.of_products(tx, {line.product_id for line in order.lines}, lock=True)
        change = reject(
            Rejection(
                rejected=order,
                comment=comment,
                orders=orders,
                demand={line.line_item_id: line for line in reserved.lines},
                stocks=stocks,
                strategy=reserved.strategy,
                cause=Cause(order.order_key),
                order_xp=reserved.order_xp,
            ),
            self._ids.key,
            now,
        )
        await self._stock.book(tx, change.movements, effects(change.movements), now)
        await self._orders.replace(tx, change.changed, now)
        await self._orders.insert(tx, change.created, now)
        return [*change.changed, *change.created]
