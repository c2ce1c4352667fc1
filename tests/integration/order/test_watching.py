"""The feed of order events: one look serves all who watch, and shows each what a read of the feed would."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.clock import SystemClock
from libs.db import Database
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.relay.change import Place
from libs.relay.feed import Position, append
from libs.relay.tail import SharedTail
from services import roles
from services.order.adapters.db.reading.feed import OrderEvents, SqlFeed
from services.order.adapters.db.rows import event_row, order_row
from services.order.adapters.db.tables import DELETED_ORDERS, EVENTS, ORDERS
from services.order.application.reading.watch_orders import EVERYTHING, Change, Selection, Served, Wanted, WatchOrders, takes
from services.order.domain.model import Event, OrderUser
from services.order.domain.reading.visibility import Direction, Scope, scope
from tests.unit.order.builders import NOW, order

KINDS = ("order_created", "order_updated")


@pytest.fixture
async def db(databases: Any) -> AsyncIterator[Database]:
    url, schema = await databases("order")
    opened = await Database.open(url, schema)
    yield opened
    await opened.close()


class Counted(OrderEvents):
    """Notes what is read for."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads: list[Selection] = []

    async def read(self, place: Place, wanted: Selection, limit: int) -> tuple[list[Served], Place]:
        self.reads.append(wanted)
        return await super().read(place, wanted, limit)


def event(key: uuid.UUID, sequence: int, type: str = "order_updated") -> Event:
    return Event(key, sequence, type, "UNSUBMITTED", "ada", "acme", NOW)


async def write(db: Database, rows: Sequence[dict[str, Any]], events: Sequence[Event]) -> None:
    async with db.transaction() as tx:
        for row in rows:
            await tx.execute(sa.insert(DELETED_ORDERS if "delete_time" in row else ORDERS).values(**row))
        await append(tx, EVENTS, [event_row(one) for one in events])


def orders() -> Iterator[dict[str, Any]]:
    """Orders of every kind that some see and others do not."""
    people = product(("BUYER", "SUPPLIER", "MOVED"), ("acme", "globex"), ("ada", "bob"), ("ada", "sam"), (False, True))
    for n, (kind, buyer, user, creator, submitted) in enumerate(people):
        fields = {"buyer_id": buyer, "user": OrderUser(user), "created_by": creator, "is_submitted": submitted}
        row = order_row(order(key=uuid.uuid4(), id=f"O{n}", **fields))
        supplier = "" if kind == "BUYER" else ("anvilworks", "lumenworks")[n % 2]
        yield {**row, "kind": kind, "supplier_id": supplier}
    for n, (buyer, user, creator) in enumerate(product(("acme", "globex"), ("ada", "bob"), ("ada", "sam"))):
        whose = {"buyer_id": buyer, "user_id": user, "created_by": creator}
        yield {"key": uuid.uuid4(), "id": f"D{n}", **whose, "version": 2, "delete_time": NOW, "body": {}}


def scopes() -> Iterator[Scope]:
    held = ((roles.SHOPPER, roles.ORDER_READER), (roles.ORDER_ADMIN, roles.UNSUBMITTED_ORDER_READER), (roles.ORDER_READER,))
    parties = ((PartyKind.BUYER, "acme", "ada"), (PartyKind.SELLER, "seller", "sam"), (PartyKind.SUPPLIER, "lumenworks", "lu"))
    for (kind, party, user), some, direction in product(parties, held, Direction):
        yield scope(Principal(user, party, kind, frozenset(some), "shop"), direction)
    yield scope(Principal("ada", "acme", PartyKind.BUYER, frozenset({roles.SHOPPER}), "shop"), Direction.ALL)


async def read(feed: OrderEvents, wanted: Selection) -> list[Served]:
    return (await feed.read(Place(Position(), ""), wanted, 1_000))[0]


async def test_a_look_shows_everybody_what_a_read_of_the_feed_shows(db: Database) -> None:
    rows = list(orders())
    events = [event(row["key"], n, type) for row in rows for n, type in enumerate(KINDS, start=1)]
    await write(db, rows, events)
    feed = OrderEvents(db)
    everything: list[Served] = []
    async with asyncio.timeout(30):
        # Others' transactions on the same server may keep what was written from being served yet.
        while len(everything) < len(events):
            everything = await read(feed, EVERYTHING)
    sizes = set()
    few, late = frozenset({"O0", "O9", "D1", "D4"}), frozenset({KINDS[1]})
    for seen, ids, types in product(scopes(), (frozenset[str](), few), (frozenset[str](), late)):
        wanted = Selection(seen, ids, types)
        found = await read(feed, wanted)
        assert found == [served for served in everything if takes(wanted, served)], wanted
        sizes.add(len(found))
    assert 0 in sizes
    assert len(sizes) > 5


async def started(watch: WatchOrders, wanted: Wanted) -> AsyncGenerator[Change, None]:
    """A watch from now that has come to the end of the feed."""
    caller = Principal("sam", "seller", PartyKind.SELLER, frozenset({roles.FULL_ACCESS}), "shop")
    watching = watch(caller, wanted, None)
    assert (await anext(watching)).event is None
    return watching


async def next_event(watching: AsyncGenerator[Change, None]) -> tuple[str, int]:
    async for change in watching:
        if change.event is not None:
            return change.order_id, change.event.sequence
    raise AssertionError("the watch ended")


@pytest.mark.parametrize("count", [1, 40])
async def test_however_many_watch_the_end_of_the_feed_is_read_once(db: Database, count: int) -> None:
    key = uuid.uuid4()
    await write(db, [order_row(order(key=key, id="SEEN"))], [event(key, 1)])
    feed = Counted(db)
    tail = SharedTail(feed, EVERYTHING, takes, 0.05)
    watch = WatchOrders(SqlUnitsOfWork(db, SqlFeed), tail, SystemClock(), NOW - NOW)
    everywhere, elsewhere = Wanted(Direction.INCOMING, (), ()), Wanted(Direction.INCOMING, ("OTHER",), ())
    async with asyncio.timeout(60):
        # Others' transactions on the same server may keep what was written from being served yet.
        while not await read(feed, EVERYTHING):
            await asyncio.sleep(0.01)
        watching = [await started(watch, everywhere) for _ in range(count)]
        watching_others = [await started(watch, elsewhere) for _ in range(count)]
        before, own = db.statements, len(feed.reads)
        for sequence in (2, 3):
            await write(db, [], [event(key, sequence)])
            assert await asyncio.gather(*(next_event(one) for one in watching)) == [("SEEN", sequence)] * count
        for one in (*watching, *watching_others):
            await one.aclose()
    looks = feed.reads[own:]
    assert set(looks) == {EVERYTHING}
    # Of each event its insert, of each look its read; one look may have begun before.
    assert db.statements <= before + 2 + len(looks) + 1
