"""ListEndedOrders: for which orders nothing will be captured any more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from services.order.application.ports import Units


class EndedOrders:
    """Of many orders at once, in one statement."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def __call__(self, keys: Sequence[uuid.UUID], *, captured: bool = False) -> list[uuid.UUID]:
        """Those that are COMPLETED or CANCELED, and those that are not known; if `captured`, without those of which something
        has shipped that is still to be captured."""
        async with self._units.reading() as work:
            running = await work.orders.running(keys, captured=captured)
        return [key for key in keys if key not in running]
