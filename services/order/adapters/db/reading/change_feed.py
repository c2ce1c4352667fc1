"""The order service's feed of changes: its events, which are the history of its orders too."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from libs.db import Database
from libs.errors import precondition
from libs.relay import feed
from libs.relay.change import Cause, Change, Entry, FeedState, Place, position_lost
from libs.relay.feed import Position
from services.order.adapters.db.reading.feed import events_with
from services.order.adapters.db.rows import event_of
from services.order.adapters.db.tables import DELETED_ORDERS, EVENTS, FEED_EPOCHS
from waybill.type.v1 import reasons

RESOURCE = "order"


class OrderChangeFeed:
    """Fulfils `libs.relay.change_feed.ChangeFeed`. Events stay, those of deleted orders too: none is ever forgotten,
    and they are never off. What was deleted long ago comes without its last body."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def oldest(self) -> Place:
        """Before the first event."""
        async with self._db.reading() as tx:
            return Place(Position(), await feed.epoch(tx, FEED_EPOCHS))

    async def latest(self) -> Place:
        """The end as it may be served now."""
        async with self._db.reading(snapshot=True) as tx:
            return Place(await feed.latest(tx, EVENTS), await feed.epoch(tx, FEED_EPOCHS))

    async def read(self, place: Place, resources: Sequence[str], limit: int) -> tuple[list[Entry], Place]:
        """Raises `POSITION_LOST` for a place from before a restore."""
        last = sa.case((EVENTS.c.sequence == DELETED_ORDERS.c.version, DELETED_ORDERS.c.body), else_=None).label("body")
        wanted = events_with(EVENTS, last)
        if resources and RESOURCE not in resources:
            wanted = wanted.where(sa.false())
        async with self._db.reading(snapshot=True) as tx:
            epoch = await feed.epoch(tx, FEED_EPOCHS)
            if place.epoch != epoch:
                raise position_lost("the service was restored from a backup since")
            rows, onward = await feed.read(tx, EVENTS, wanted, place.position, limit)
        return [_entry(row, epoch) for row in rows], Place(onward, epoch)

    def ring(self, bell: Callable[[], None]) -> None:
        """After every commit with events."""
        self._db.on_commit(EVENTS, bell)

    async def state(self) -> FeedState:
        """All events there are."""
        counting = sa.select(
            sa.func.count().label("n"), sa.func.min(EVENTS.c.time).label("oldest"), sa.func.max(EVENTS.c.time).label("newest")
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(counting)).mappings().one()
        return FeedState(True, row["n"], row["oldest"], row["newest"])

    async def switch(self, enabled: bool) -> None:
        """Raises `FEED_ALWAYS_ON` unless it is to be on."""
        if not enabled:
            raise precondition(reasons.FEED_ALWAYS_ON, "the feed is the history of the orders", context="order")


def _entry(row: sa.RowMapping, epoch: str) -> Entry:
    event = event_of(row)
    by = event.origin
    return Entry(
        Place(Position(row["xact"], row["id"]), epoch),
        Change(RESOURCE, row["order_id"], event.sequence, event.time, row["body"]),
        Cause(event.type, by.client_id, event.user_id, by.impersonator_id, by.request_id),
    )
