"""The feed of order events, seen through a scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.relay import feed
from libs.relay.feed import Position
from services.order.adapters.db.reading.visibility import condition, condition_on_deleted
from services.order.adapters.db.rows import event_of
from services.order.adapters.db.tables import DELETED_ORDERS, EVENTS, FEED_EPOCHS, ORDERS
from services.order.domain.model import Event
from services.order.domain.reading.visibility import Scope


def events_with(*more: Any) -> sa.Select[Any]:
    """Events, each with the id of its order as `order_id`, also when the order is gone."""
    return (
        sa.select(*more, sa.func.coalesce(ORDERS.c.id, DELETED_ORDERS.c.id).label("order_id"))
        .select_from(EVENTS)
        .outerjoin(ORDERS, ORDERS.c.key == EVENTS.c.aggregate_key)
        .outerjoin(DELETED_ORDERS, DELETED_ORDERS.c.key == EVENTS.c.aggregate_key)
    )


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
        statement = events_with(EVENTS).where(sa.or_(condition(seen), condition_on_deleted(seen)))
        if order_ids:
            named = sa.union_all(*(sa.select(t.c.key).where(t.c.id.in_(list(order_ids))) for t in (ORDERS, DELETED_ORDERS)))
            statement = statement.where(EVENTS.c.aggregate_key.in_(named))
        if types:
            statement = statement.where(EVENTS.c.type.in_(list(types)))
        rows, onward = await feed.read(self._tx, EVENTS, statement, position, limit)
        return [(Position(row["xact"], row["id"]), row["order_id"], event_of(row)) for row in rows], onward
