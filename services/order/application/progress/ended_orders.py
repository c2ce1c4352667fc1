"""ListEndedOrders: for which orders nothing will be captured any more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from services.order.application.ports import OrderStore, Transactions


class EndedOrders:
    """Of many orders at once, in one statement."""

    def __init__(self, database: Transactions, orders: OrderStore) -> None:
        self._db = database
        self._orders = orders

    async def __call__(self, keys: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """Those that are COMPLETED or CANCELED, and those that are not known."""
        async with self._db.reading() as tx:
            running = await self._orders.running(tx, keys)
        return [key for key in keys if key not in running]
