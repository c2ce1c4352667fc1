"""The feed of order events, seen through a scope."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from libs.db import Tx
from libs.relay import feed
from libs.relay.feed import Position
from services.order.adapters.db.reading.visibility import condition
from services.order.adapters.db.rows import event_of
from services.order.adapters.db.tables import EVENTS, FEED_EPOCHS, ORDERS
from services.order.domain.model import Event
from services.order.domain.reading.visibility import Scope


class SqlFeed:
    """Reads the events table."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def epoch(self) -> str:
        """What positions belong to."""
        return await feed.epoch(self._tx, FEED_EPOCHS)

    async def latest(self) -> Position:
        """The end of the feed."""
        return await feed.latest(self._tx, EVENTS)

    async def read(
        self, position: Position, limit: int, seen: Scope, order_ids: Sequence[str], types: Sequence[str]
    ) -> tuple[list[tuple[Position, str, Event]], Position]:
        """What came after the position and may be seen, and the position to read on from."""
        statement = (
            sa.select(EVENTS, ORDERS.c.id.label("order_id"))
            .join(ORDERS, ORDERS.c.key == EVENTS.c.aggregate_key)
            .where(condition(seen))
        )
        if order_ids:
            statement = statement.where(ORDERS.c.id.in_(list(order_ids)))
        if types:
            statement = statement.where(EVENTS.c.type.in_(list(types)))
        rows, onward = await feed.read(self._tx, EVENTS, statement, position, limit)
        return [(Position(row["xact"], row["id"]), row["order_id"], event_of(row)) for row in rows], onward
