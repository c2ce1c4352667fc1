"""The feed of order events, seen through a scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.relay import feed
from libs.relay.change import Place
from libs.relay.feed import Position
from services.order.adapters.db.reading.visibility import condition, condition_on_deleted
from services.order.adapters.db.rows import event_of
from services.order.adapters.db.tables import DELETED_ORDERS, EVENTS, FEED_EPOCHS, ORDERS
from services.order.application.reading.watch_orders import Selection, Served
from services.order.domain.reading.visibility import Owners


def events_with(*more: Any) -> sa.Select[Any]:
    """Events, each with the id of its order as `order_id`, also when the order is gone."""
    return (
        sa.select(*more, sa.func.coalesce(ORDERS.c.id, DELETED_ORDERS.c.id).label("order_id"))
        .select_from(EVENTS)
        .outerjoin(ORDERS, ORDERS.c.key == EVENTS.c.aggregate_key)
        .outerjoin(DELETED_ORDERS, DELETED_ORDERS.c.key == EVENTS.c.aggregate_key)
    )


class SqlFeed:
    """Where the feed stands."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def epoch(self) -> str:
        """What positions belong to."""
        return await feed.epoch(self._tx, FEED_EPOCHS)

    async def latest(self) -> Position:
        """The end of the feed."""
        return await feed.latest(self._tx, EVENTS)


class OrderEvents:
    """Reads the events table. An order that is gone was never submitted, and is seen as it was."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def read(self, place: Place, wanted: Selection, limit: int) -> tuple[list[Served], Place]:
        """What came after the place and is selected, and where to read on."""
        o, gone = ORDERS.c, DELETED_ORDERS.c
        statement = events_with(
            EVENTS,
            sa.func.coalesce(o.kind, "BUYER").label("kind"),
            sa.func.coalesce(o.supplier_id, "").label("supplier_id"),
            sa.func.coalesce(o.is_submitted, sa.false()).label("is_submitted"),
            *(sa.func.coalesce(o[name], gone[name]).label(name) for name in ("buyer_id", "user_id", "created_by")),
        )
        if wanted.seen is not None:
            statement = statement.where(sa.or_(condition(wanted.seen), condition_on_deleted(wanted.seen)))
        if wanted.order_ids:
            ids = sorted(wanted.order_ids)
            named = sa.union_all(*(sa.select(t.c.key).where(t.c.id.in_(ids)) for t in (ORDERS, DELETED_ORDERS)))
            statement = statement.where(EVENTS.c.aggregate_key.in_(named))
        if wanted.event_types:
            statement = statement.where(EVENTS.c.type.in_(sorted(wanted.event_types)))
        async with self._db.reading() as tx:
            rows, onward = await feed.read(tx, EVENTS, statement, place.position, limit)
        return [_served(row, place.epoch) for row in rows], Place(onward, place.epoch)

    def ring(self, bell: Callable[[], None]) -> None:
        """After every commit with events."""
        self._db.on_commit(EVENTS, bell)


def _served(row: sa.RowMapping, epoch: str) -> Served:
    owners = Owners(
        row["order_id"],
        row["kind"],
        row["buyer_id"],
        row["supplier_id"],
        row["user_id"],
        row["created_by"],
        bool(row["is_submitted"]),
    )
    return Served(Place(Position(row["xact"], row["id"]), epoch), row["order_id"], event_of(row), owners)
