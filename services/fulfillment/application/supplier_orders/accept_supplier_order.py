"""AcceptSupplierOrder: the supplier says yes."""

from __future__ import annotations

from libs.auth import Principal, roles
from libs.clock import Clock
from services.fulfillment.application.ports import Request, RequestPort, SupplierOrderPort, Transactions, Tx
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.supplier_orders.supplier_orders import visible
from services.fulfillment.domain.supplier_orders.actions.answer import accept
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class AcceptSupplierOrder:
    """The use case; it reports to the order service after its commit."""

    def __init__(
        self, transactions: Transactions, orders: SupplierOrderPort, requests: RequestPort, reporting: Reporting, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._orders = orders
        self._requests = requests
        self._reporting = reporting
        self._clock = clock

    async def __call__(self, caller: Principal, id: str, request: Request) -> SupplierOrder:
        """From OPEN to ACCEPTED. Raises SUPPLIER_ORDER_STATUS_CONFLICT."""
        caller.require(roles.ORDER_ADMIN)

        async def work(tx: Tx) -> tuple[SupplierOrder, bool]:
            now = self._clock.now()
            replayed = await self._requests.claim(tx, request, {}, now)
            order = await visible(self._orders, tx, caller, id, lock=True)
            after = order if replayed is not None else accept(order, now)
            if after is not order:
                await self._orders.save(tx, [after], now)
            return after, after is not order

        order, changed = await self._transactions.retrying(work)
        if changed:
            await self._reporting.tell([order])
        return order
