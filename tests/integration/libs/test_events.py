"""The feed: in order, resumable, and never past a transaction that may still commit."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.db import Database, Tx, is_unique_violation, metadata
from libs.relay import feed
from libs.relay.feed import Position
from tests.integration.libs.tables import created

METADATA = metadata()
EVENTS = feed.event_table(METADATA, "order_events", sa.Column("actor", sa.String(20), nullable=False))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = Position()
ORDER = uuid.UUID(int=7)


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("events"), METADATA, tmp_path) as database:
        yield database


def event(sequence: int, key: uuid.UUID = ORDER, type: str = "Changed") -> dict:
    return {"aggregate_key": key, "sequence": sequence, "type": type, "data": {"n": sequence}, "time": NOW, "actor": "anna"}


async def append(db: Database, *rows: dict) -> None:
    async with db.transaction() as tx:
        await feed.append(tx, EVENTS, rows)


async def appended(db: Database, *rows: dict) -> None:
    await append(db, *rows)
    await settled(db)


async def read(tx: Tx, position: Position, limit: int = 100) -> list[tuple[Position, int]]:
    rows, _ = await feed.read(tx, EVENTS, sa.select(EVENTS), position, limit)
    return [(Position(row["xact"], row["id"]), row["sequence"]) for row in rows]


async def after(db: Database, position: Position = START, limit: int = 100) -> list[tuple[Position, int]]:
    async with db.reading() as tx:
        return await read(tx, position, limit)


async def settled(db: Database) -> None:
    """Waits until all that is committed may be served: tests beside this one have transactions open, too."""
    everything = sa.select(sa.func.count()).select_from(EVENTS)
    async with asyncio.timeout(30):
        while True:
            async with db.reading(snapshot=True) as tx:
                if len(await read(tx, START, 10_000)) == (await tx.execute(everything)).scalar_one():
                    return
            await asyncio.sleep(0.01)


async def onward(db: Database, type: str, position: Position = START, limit: int = 100) -> tuple[list[int], Position]:
    """Sequences of one type of events, and where a reader of that type goes on."""
    async with db.reading() as tx:
        rows, position = await feed.read(tx, EVENTS, sa.select(EVENTS).where(EVENTS.c.type == type), position, limit)
    return [row["sequence"] for row in rows], position


async def latest(db: Database) -> Position:
    async with db.reading() as tx:
        return await feed.latest(tx, EVENTS)


async def test_events_are_read_in_the_order_of_their_transactions(db):
    await appended(db, event(1), event(2))
    await appended(db, event(3))

    assert [sequence for _, sequence in await after(db)] == [1, 2, 3]


async def test_reading_goes_on_from_any_position(db):
    await appended(db, *(event(n) for n in range(1, 6)))
    await appended(db, *(event(n) for n in range(6, 11)))

    everything = await after(db)
    for at, (position, _) in enumerate(everything):
        assert await after(db, position) == everything[at + 1 :]
    pages = []
    position = START
    while page := await after(db, position, limit=3):
        pages += page
        position = page[-1][0]
    assert pages == everything


async def test_the_latest_position_has_everything_before_it_and_nothing_after(db):
    assert await after(db, await latest(db)) == []
    await appended(db, event(1))
    position = await latest(db)
    assert await after(db, position) == []
    await appended(db, event(2))

    assert [sequence for _, sequence in await after(db, position)] == [2]


async def test_a_reader_whom_nothing_concerns_goes_on_behind_what_others_read(db):
    await appended(db, event(1), event(2))
    newest = (await after(db))[-1][0]

    found, position = await onward(db, "Other")
    assert found == []
    assert position >= newest
    await appended(db, event(3, type="Other"))
    assert (await onward(db, "Other", position))[0] == [3]


async def test_a_full_page_goes_on_behind_its_last_row(db):
    await appended(db, event(1, type="Other"), event(2, type="Other"), event(3), event(4, type="Other"))

    found, position = await onward(db, "Other", limit=2)
    assert found == [1, 2]
    assert position == (await after(db))[1][0]
    assert (await onward(db, "Other", position, limit=2))[0] == [4]


async def test_a_reader_never_goes_back(db):
    far = Position(2**61, 2**61)

    assert (await onward(db, "Other", far))[1] == far


async def test_reading_on_is_one_statement(db):
    await appended(db, event(1))
    before = db.statements
    await onward(db, "Other")

    assert db.statements == before + 1


async def test_a_number_in_the_sequence_is_given_once(db):
    await appended(db, event(1))
    with pytest.raises(IntegrityError) as caught:
        await appended(db, event(1, type="Other"))
    assert is_unique_violation(caught.value, "sequence")
    await appended(db, event(1, uuid.UUID(int=8)))

    assert len(await after(db)) == 2


async def test_what_was_undone_is_not_read(db):
    async def fail() -> None:
        async with db.transaction() as tx:
            await feed.append(tx, EVENTS, [event(1)])
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    await appended(db, event(1), event(2))

    assert [sequence for _, sequence in await after(db)] == [1, 2]


async def test_adding_no_events_is_nothing(db):
    await appended(db)

    assert await after(db) == []


async def test_ids_are_not_given_again(db):
    await appended(db, event(1), event(2))
    position = (await after(db))[-1][0]
    async with db.transaction() as tx:
        await tx.execute(sa.delete(EVENTS))
    await appended(db, event(3))

    assert [sequence for _, sequence in await after(db, position)] == [3]


async def test_a_transaction_that_commits_late_is_not_skipped(postgres_url, tmp_path):
    schema = f"t{uuid.uuid4().hex[:12]}"
    other = uuid.UUID(int=8)
    async with created(postgres_url, schema, METADATA, tmp_path) as db:
        async with db.transaction() as slow:
            await feed.append(slow, EVENTS, [event(1)])
            await append(db, event(1, other), event(2, other))
            assert await after(db) == []
            position = await latest(db)
        await settled(db)
        late = await after(db, position)
        assert sorted(sequence for _, sequence in late) == [1, 1, 2]
        async with db.transaction() as tx:
            await tx.execute(sa.text(f'DROP SCHEMA "{schema}" CASCADE'))


async def test_a_reader_whom_nothing_concerns_learns_what_commits_late(postgres_url, tmp_path):
    schema = f"t{uuid.uuid4().hex[:12]}"
    async with created(postgres_url, schema, METADATA, tmp_path) as db:
        async with db.transaction() as slow:
            await feed.append(slow, EVENTS, [event(1, type="Late")])
            await append(db, event(1, uuid.UUID(int=8)), event(2, uuid.UUID(int=8)))
            found, position = await onward(db, "Late")
            assert found == []
        await settled(db)
        assert (await onward(db, "Late", position))[0] == [1]
        async with db.transaction() as tx:
            await tx.execute(sa.text(f'DROP SCHEMA "{schema}" CASCADE'))


async def test_one_aggregates_events_come_in_sequence_whichever_transaction_began_first(postgres_url, tmp_path):
    schema = f"t{uuid.uuid4().hex[:12]}"
    async with created(postgres_url, schema, METADATA, tmp_path) as db:
        async with db.transaction() as early:
            await early.execute(sa.text("SELECT pg_current_xact_id()"))
            await append(db, event(1), event(2))
            await feed.append(early, EVENTS, [event(3), event(4), event(1, uuid.UUID(int=8))])
        await appended(db, event(5))
        ours = sa.select(EVENTS).where(EVENTS.c.aggregate_key == ORDER)
        async with db.transaction() as tx:
            rows, _ = await feed.read(tx, EVENTS, ours, START, 10)
            assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
            await tx.execute(sa.text(f'DROP SCHEMA "{schema}" CASCADE'))


async def test_a_reader_gets_each_event_once_however_writers_overlap(db):
    keys = [uuid.UUID(int=n) for n in range(1, 9)]
    done = asyncio.Event()
    got: list[Position] = []

    async def write(key: uuid.UUID) -> None:
        for sequence in range(1, 16):
            async with db.transaction() as tx:
                await feed.append(tx, EVENTS, [event(sequence, key)])
                await asyncio.sleep(0.001 * (sequence % 3))

    async def follow() -> None:
        position = Position()
        while True:
            ended = done.is_set()
            page = await after(db, position, limit=7)
            got.extend(at for at, _ in page)
            if page:
                position = page[-1][0]
            elif ended:
                return
            await asyncio.sleep(0)

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(key) for key in keys))
    await settled(db)
    done.set()
    await following

    assert Counter(got) == Counter(at for at, _ in await after(db, limit=1_000))
    assert len(got) == 8 * 15
