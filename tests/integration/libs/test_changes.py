"""The feed of changes: in the order of commits, resumable, forgotten after a time, and never with a gap that is not said."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from libs.db import Database, Tx, metadata
from libs.errors import WaybillError
from libs.relay import change_feed, changes
from libs.relay.change import Cause, Change, Place
from libs.relay.change_feed import SqlChangeFeed
from libs.relay.feed import latest
from libs.relay.tail import Tail
from tests.integration.libs.tables import created

METADATA = metadata()
TABLES = changes.change_tables(METADATA)
RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("id", sa.String(100), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("bookings", sa.BigInteger, nullable=False),
)
"""Rows whose counters are changed without being read."""
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("changes"), METADATA, tmp_path) as database:
        yield database


@pytest.fixture
def feed(db) -> SqlChangeFeed:
    return SqlChangeFeed(db, TABLES)


def change(version: int, id: str = "p1", resource: str = "product", time: datetime = NOW) -> Change:
    return Change(resource, id, version, time)


async def write(db: Database, *made: Change) -> None:
    async with db.transaction() as tx:
        await changes.append(tx, TABLES, made)


async def settled(db: Database) -> None:
    """Waits until all that is committed may be served: tests beside this one have transactions open, too."""
    newest_of_all = sa.select(sa.func.max(TABLES.changes.c.xact))
    async with asyncio.timeout(30):
        while True:
            async with db.reading(snapshot=True) as tx:
                newest = (await tx.execute(newest_of_all)).scalar()
                end = await latest(tx, TABLES.changes)
                if newest is None or end.xact >= newest:
                    return
            await asyncio.sleep(0.01)


async def read(feed: SqlChangeFeed, db: Database, place: Place, *resources: str, limit: int = 100) -> list[int]:
    await settled(db)
    found, _ = await feed.read(place, resources, limit)
    return [entry.change.version for entry in found]


async def lost(feed: SqlChangeFeed, place: Place) -> bool:
    try:
        await feed.read(place, (), 100)
    except WaybillError as error:
        return error.reason == "POSITION_LOST"
    return False


async def test_changes_are_read_once_each_from_any_place_by_a_reader_who_starts_anew(db, feed):
    start = await feed.latest()
    await write(db, change(1), change(2))
    await write(db, change(3))
    assert await read(feed, db, start) == [1, 2, 3]

    first, onward = await feed.read(start, (), 2)
    again = SqlChangeFeed(db, TABLES)
    rest, end = await again.read(onward, (), 100)
    assert [entry.change.version for entry in (*first, *rest)] == [1, 2, 3]
    assert await read(again, db, end) == []


async def test_only_the_wanted_resources_are_read(db, feed):
    await write(db, change(1), change(2, resource="zone"))

    assert await read(feed, db, await feed.oldest(), "zone") == [2]


async def test_a_change_without_a_call_has_no_cause_and_a_delete_keeps_its_body(db, feed):
    await write(db, Change("product", "p1", 4, NOW, {"name": "Chair"}))
    await settled(db)

    (entry,), _ = await feed.read(await feed.oldest(), (), 100)
    assert entry.change == Change("product", "p1", 4, NOW, {"name": "Chair"})
    assert entry.cause == Cause()


async def test_what_is_undone_leaves_no_change(db, feed):
    async def undone() -> None:
        async with db.transaction() as tx:
            await changes.append(tx, TABLES, [change(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()

    assert await read(feed, db, await feed.oldest()) == []


async def test_a_bell_rings_for_every_commit_that_adds_to_the_feed_and_for_no_other(db, feed):
    rung: list[int] = []
    feed.ring(lambda: rung.append(len(rung)))
    async with db.transaction() as tx:
        await changes.append(tx, TABLES, [change(1)])
        changes.note(tx, TABLES, [change(2), change(3)])
        assert rung == []
    assert rung == [0]

    async with db.transaction() as tx:
        changes.note(tx, TABLES, [])
        await changes.append(tx, TABLES, [])

    async def undone() -> None:
        async with db.transaction() as tx:
            await changes.append(tx, TABLES, [change(4)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert rung == [0]


async def test_who_waits_is_given_what_this_process_and_what_another_one_writes(databases, tmp_path):
    place = await databases("changes")
    other = await Database.open(*place)
    async with created(*place, METADATA, tmp_path) as db, asyncio.timeout(30):
        feed = SqlChangeFeed(db, TABLES)
        async with aclosing(Tail(feed, 0.05).watch(await feed.latest(), ())) as news:
            assert (await anext(news))[1] is None
            for version, writer in ((1, db), (2, other), (3, db)):
                await write(writer, change(version))
                # What is committed is given as soon as no older transaction of a test beside this one runs.
                while (entry := (await anext(news))[1]) is None:
                    pass
                assert (entry.change, entry.place.position.id) == (change(version), version)
    await other.close()


async def test_many_changes_are_one_statement_and_none_is_none(db):
    before = db.statements
    await write(db, *(change(n) for n in range(1, 50)))
    assert db.statements == before + 1
    await write(db)
    assert db.statements == before + 1


async def test_what_is_noted_in_a_transaction_is_written_at_its_end_by_one_statement_in_order(db, feed):
    before = db.statements
    async with db.transaction() as tx:
        changes.note(tx, TABLES, [change(1), change(2)])
        changes.note(tx, TABLES, [])
        changes.note(tx, TABLES, [change(3)])
        assert db.statements == before
    assert db.statements == before + 1
    assert await read(feed, db, await feed.oldest()) == [1, 2, 3]


async def test_id_and_version_of_a_row_that_was_not_read_are_sent_once_as_they_are_at_the_end(db, feed):
    tables = TABLES.looking_up(changes.Counted(RECORDS.c.key, RECORDS.c.id, RECORDS.c.version + RECORDS.c.bookings))
    key = uuid.uuid4()
    async with db.transaction() as tx:
        await tx.execute(sa.insert(RECORDS), {"key": key, "id": "r1", "version": 2, "bookings": 0})
        changes.note(tx, tables, [change(7), Change("record", "", 0, NOW, key=key)])
        await tx.execute(sa.update(RECORDS).where(RECORDS.c.key == key).values(bookings=3))
        changes.note(tx, tables, [Change("record", "", 0, NOW, key=key)])

    await settled(db)
    found, _ = await feed.read(await feed.oldest(), (), 100)
    sent = [(entry.change.resource, entry.change.resource_id, entry.change.version) for entry in found]
    assert sent == [("product", "p1", 7), ("record", "r1", 5)]


async def test_a_writer_that_commits_late_is_not_skipped(db, feed):
    if db.dialect == "sqlite":
        # One writer at a time: there, a transaction commits before the next can write.
        await write(db, change(1))
        await write(db, change(2))
        assert await read(feed, db, await feed.oldest()) == [1, 2]
        return
    start = await feed.latest()
    async with db.transaction() as early:
        await changes.append(early, TABLES, [change(1, "early")])
        await write(db, change(2, "late"))
        found, place = await feed.read(start, (), 100)
        assert found == []
    await settled(db)
    found, _ = await feed.read(place, (), 100)
    assert [entry.change.version for entry in found] == [1, 2]


async def test_while_the_feed_is_off_nothing_is_written_and_a_place_from_before_the_gap_is_lost(db, feed):
    await write(db, change(1))
    await settled(db)
    before = await feed.latest()
    await feed.switch(False)
    await write(db, change(2))
    assert await read(feed, db, before) == []
    await feed.switch(True)
    await write(db, change(3))

    assert await lost(feed, before)
    assert await read(feed, db, await feed.oldest()) == [3]


async def test_turning_on_what_is_on_makes_no_gap(db, feed):
    place = await feed.latest()
    await feed.switch(True)
    await write(db, change(1))

    assert await read(feed, db, place) == [1]


async def test_the_switch_waits_for_a_writer_that_goes_on_by_what_it_was(db, feed):
    if db.dialect == "sqlite":
        await feed.switch(False)
        await feed.switch(True)
        assert (await feed.latest()).epoch
        return
    await feed.switch(False)

    async def written(tx: Tx) -> None:
        await changes.append(tx, TABLES, [change(1)])

    async with db.transaction() as tx:
        await written(tx)
        turning = asyncio.ensure_future(feed.switch(True))
        done, _ = await asyncio.wait([turning], timeout=0.2)
        assert not done
    await turning
    await write(db, change(2))
    assert await read(feed, db, await feed.oldest()) == [2]


async def test_what_is_forgotten_is_lost_to_whoever_has_not_read_it_and_to_nobody_else(db, feed):
    start = await feed.oldest()
    await write(db, change(1, time=NOW - timedelta(days=2)))
    await settled(db)
    _, read_it = await feed.read(start, (), 1)
    await write(db, change(2))
    await settled(db)

    assert await feed.forget(NOW - timedelta(days=1)) == 1
    assert await lost(feed, start)
    assert await read(feed, db, read_it) == [2]
    assert await read(feed, db, await feed.oldest()) == [2]
    assert await feed.forget(NOW - timedelta(days=1)) == 0


async def test_a_restore_keeps_the_changes_and_voids_every_place(db, feed):
    await write(db, change(1))
    place = await feed.latest()
    async with db.transaction() as tx:
        for statement in change_feed.restored():
            await tx.execute(sa.text(statement))

    assert await lost(feed, place)
    assert await read(feed, db, await feed.oldest()) == [1]
