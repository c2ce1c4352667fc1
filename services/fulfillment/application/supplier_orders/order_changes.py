"""What the use cases on a whole order share: its supplier orders are locked, changed by one action, and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from libs.clock import Clock
from services.fulfillment.application.ports import StockPort, SupplierOrderPort, Tx
from services.fulfillment.domain.stock.ledger import effects
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, by_id

Action = Callable[[Sequence[SupplierOrder], datetime], Change]


class OrderChanges:
    """Applies actions. The caller has locked the order's reservation: it guards the set of supplier orders."""

    def __init__(self, stock: StockPort, orders: SupplierOrderPort, clock: Clock) -> None:
        self._stock = stock
        self._orders = orders
        self._clock = clock

    async def apply(self, tx: Tx, order_key: str, action: Action) -> list[SupplierOrder]:
        """Every supplier order of the order as it is afterwards, by number."""
        now = self._clock.now()
        orders = await self._orders.of_orders(tx, [order_key], lock=True)
        change = action(orders, now)
        await self._stock.book(tx, change.movements, effects(change.movements), now)
        before = {o.key: o.lines for o in orders}
        # A freeze touches headers only; rewriting 5,000 lines for it would be waste.
        await self._orders.save(tx, [o for o in change.changed if o.lines is before[o.key]], now)
        await self._orders.replace(tx, [o for o in change.changed if o.lines is not before[o.key]], now)
        await self._orders.insert(tx, change.created, now)
        after = {o.key: o for o in (*orders, *change.changed, *change.created)}
        return by_id(after.values())
