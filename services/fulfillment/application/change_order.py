"""ForwardOrder, FreezeOrder, UnfreezeOrder, CancelOrder and SetOrderHold: what the order service does to a whole order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from libs.clock import Clock
from libs.errors import missing
from libs.ids import IdSource
from services.fulfillment.application.ports import (
    ReservationPort,
    StockPort,
    SupplierOrderPort,
    Transactions,
    Tx,
)
from services.fulfillment.domain.actions.change import Change
from services.fulfillment.domain.actions.hold import cancel, freeze, hold, unfreeze
from services.fulfillment.domain.actions.place import forward
from services.fulfillment.domain.ledger import Cause, effects
from services.fulfillment.domain.reservation import Hold
from services.fulfillment.domain.supplier_order import SupplierOrder, by_id

Action = Callable[[Sequence[SupplierOrder], datetime], Change]


class ChangeOrder:
    """The five use cases: each locks the order's reservation, then its supplier orders, and applies one
    action.

    All are idempotent and return every supplier order of the order, by number.
    """

    def __init__(
        self,
        transactions: Transactions,
        stock: StockPort,
        reservations: ReservationPort,
        orders: SupplierOrderPort,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._transactions = transactions
        self._stock = stock
        self._reservations = reservations
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def forward(self, order_key: str) -> list[SupplierOrder]:
        """Splits the implicit supplier order by supplier; raises ORDER_ALREADY_SHIPPED, and NOT_FOUND
        before the order's confirm has come.
        """

        async def work(tx: Tx) -> list[SupplierOrder]:
            held = await self._reservations.confirmed(tx, order_key)
            if held is None:
                raise missing("order", order_key)
            return await self._apply(
                tx, order_key, lambda orders, now: forward(orders, held.order_xp, self._ids.key, now)
            )

        return await self._transactions.retrying(work)

    async def freeze(self, order_key: str) -> list[SupplierOrder]:
        """Keeps everything from shipping, what the confirm is still to create included."""
        return await self._hold(order_key, Hold.FROZEN, freeze)

    async def unfreeze(self, order_key: str) -> list[SupplierOrder]:
        """Takes a freeze back."""
        return await self._hold(order_key, Hold.NONE, unfreeze)

    async def cancel(self, order_key: str) -> list[SupplierOrder]:
        """Cancels everything and returns its stock; what the confirm is still to create is canceled at
        once.
        """
        return await self._hold(order_key, Hold.CANCELED, lambda orders, now: cancel(orders, Cause(order_key), now))

    async def set_hold(self, order_key: str, held: bool, version: int) -> list[SupplierOrder]:
        """Holds the order back from shipping, or ends that; what the confirm is still to create included. A version older
        than one that is known changes nothing. Raises NOT_FOUND for an order that never reserved anything.
        """

        async def work(tx: Tx) -> list[SupplierOrder]:
            if await self._reservations.set_held(tx, order_key, held, version, self._clock.now()):
                return await self._apply(tx, order_key, lambda orders, now: hold(orders, held, now))
            orders = await self._orders.of_orders(tx, [order_key], lock=True)
            if not orders:
                raise missing("order", order_key)
            return by_id(orders)

        return await self._transactions.retrying(work)

    async def _hold(self, order_key: str, hold: Hold, action: Action) -> list[SupplierOrder]:
        async def work(tx: Tx) -> list[SupplierOrder]:
            await self._reservations.set_hold(tx, order_key, hold, self._clock.now())
            return await self._apply(tx, order_key, action)

        return await self._transactions.retrying(work)

    async def _apply(self, tx: Tx, order_key: str, action: Action) -> list[SupplierOrder]:
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
