"""Transactions, reading, retrying and counting, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from libs.db import Database, Tuning, Tx, counting, is_unique_violation
from libs.errors import WaybillError
from tests.integration.libs.tables import ITEMS, created
from tests.integration.libs.tables import METADATA as TABLES


@pytest.fixture
async def place(databases) -> tuple[str, str | None]:
    return await databases("items")


@pytest.fixture
async def db(place, tmp_path) -> AsyncIterator[Database]:
    async with created(*place, TABLES, tmp_path) as database:
        yield database


def item(name: str, **more) -> dict:
    return {"key": uuid.uuid4(), "name": name, **more}


async def put(db: Database, *names: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), [item(name) for name in names])


async def names(db: Database) -> list[str]:
    async with db.reading() as tx:
        return list((await tx.execute(sa.select(ITEMS.c.name).order_by(ITEMS.c.name))).scalars())


async def test_what_a_transaction_wrote_is_there_after_it(db):
    await put(db, "bolt", "nut")

    assert await names(db) == ["bolt", "nut"]


async def test_an_exception_undoes_the_transaction(db):
    async def fail() -> None:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), item("bolt"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await names(db) == []


async def test_canceling_undoes_the_transaction_and_frees_its_connection(db):
    written = asyncio.Event()

    async def hang() -> None:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), item("bolt"))
            written.set()
            await asyncio.Event().wait()

    # More often than there are connections in the pool.
    for _ in range(12):
        written.clear()
        task = asyncio.create_task(hang())
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await put(db, "nut")

    assert await names(db) == ["nut"]


async def test_callbacks_run_after_the_commit_and_only_then(db):
    notified: list[str] = []
    async with db.transaction() as tx:
        tx.after_commit(lambda: notified.append("committed"))
        await tx.execute(tx.insert(ITEMS), item("bolt"))
        assert notified == []
    assert notified == ["committed"]

    async def twice() -> None:
        async with db.transaction() as tx:
            tx.after_commit(lambda: notified.append("never"))
            await tx.execute(tx.insert(ITEMS), item("bolt"))

    with pytest.raises(IntegrityError):
        await twice()
    assert notified == ["committed"]


async def test_writers_do_not_overwrite_each_other(db):
    await put(db, "counter")

    async def add() -> None:
        async with db.transaction() as tx:
            mine = sa.select(ITEMS.c.amount).where(ITEMS.c.name == "counter").with_for_update()
            amount = (await tx.execute(mine)).scalar() or 0
            await tx.execute(sa.update(ITEMS).where(ITEMS.c.name == "counter").values(amount=amount + 1))

    await asyncio.gather(*(add() for _ in range(40)))
    async with db.reading() as tx:
        assert (await tx.execute(sa.select(ITEMS.c.amount))).scalar_one() == 40


async def test_reading_does_not_see_what_is_not_committed(db):
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), item("bolt"))
        assert await names(db) == []
    assert await names(db) == ["bolt"]


async def test_a_snapshot_sees_one_moment(db):
    count = sa.select(sa.func.count()).select_from(ITEMS)
    await put(db, "bolt")
    async with db.reading(snapshot=True) as tx:
        assert (await tx.execute(count)).scalar_one() == 1
        await put(db, "nut")
        assert (await tx.execute(count)).scalar_one() == 1
    async with db.reading() as tx:
        assert (await tx.execute(count)).scalar_one() == 2


async def test_a_snapshot_refuses_to_write(db):
    async with db.reading(snapshot=True) as tx:
        with pytest.raises(DBAPIError):
            await tx.execute(tx.insert(ITEMS), item("bolt"))
    await put(db, "nut")

    assert await names(db) == ["nut"]


async def test_a_snapshot_leaves_nothing_behind_on_its_connection(place, tmp_path):
    async with created(*place, TABLES, tmp_path) as ready:
        await put(ready, "bolt")
    database = await Database.open(*place, Tuning(pool_size=1))
    try:
        async with database.reading(snapshot=True) as tx:
            await tx.execute(sa.select(ITEMS))
        await put(database, "nut")
        assert await names(database) == ["bolt", "nut"]
    finally:
        await database.close()


async def test_statements_are_counted_one_per_execution(db):
    before = db.statements
    with counting() as outer:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), [item(f"i{n}") for n in range(500)])
            with counting() as inner:
                await tx.execute(sa.select(ITEMS).where(ITEMS.c.name.in_([f"i{n}" for n in range(400)])))
    async with db.reading() as tx:
        await tx.execute(sa.select(ITEMS))

    assert (outer.statements, inner.statements, db.statements - before) == (2, 1, 3)


async def test_an_empty_list_sends_nothing(db):
    async with db.transaction() as tx:
        with counting() as count:
            result = await tx.execute(tx.insert(ITEMS), [])

    assert (result.rowcount, result.all(), count.statements) == (0, [], 0)
    assert await names(db) == []


async def test_five_thousand_keys_are_one_statement(db):
    keys = [uuid.uuid4() for _ in range(5_000)]
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), [{"key": key, "name": str(key)} for key in keys])
        with counting() as count:
            found = (await tx.execute(sa.select(ITEMS.c.key).where(ITEMS.c.key.in_(keys)))).scalars().all()

    assert (set(found), count.statements) == (set(keys), 1)


async def test_an_update_of_many_rows_is_one_statement_and_returns_how_many_it_changed(db):
    await put(db, "a", "b", "c")
    async with db.transaction() as tx:
        with counting() as count:
            change = sa.update(ITEMS).where(ITEMS.c.name == sa.bindparam("n")).values(amount=sa.bindparam("m"))
            await tx.execute(change, [{"n": "a", "m": 1}, {"n": "b", "m": 2}])
        all_of_them = await tx.execute(sa.update(ITEMS).values(place="x"))

    assert (count.statements, all_of_them.rowcount) == (1, 3)


async def test_an_insert_leaves_alone_what_is_there(db):
    await put(db, "bolt")
    async with db.transaction() as tx:
        again = await tx.execute(tx.insert(ITEMS).on_conflict_do_nothing(), item("bolt"))
        new = await tx.execute(tx.insert(ITEMS).on_conflict_do_nothing(), item("nut"))

    assert (again.rowcount, new.rowcount) == (0, 1)


async def test_a_unique_violation_is_known_by_its_constraint_and_by_its_columns(db):
    await put(db, "bolt")
    with pytest.raises(IntegrityError) as caught:
        await put(db, "bolt")

    assert is_unique_violation(caught.value)
    assert is_unique_violation(caught.value, "uq_items_name_place")
    assert is_unique_violation(caught.value, "place")
    assert not is_unique_violation(caught.value, "pk_items")
    assert not is_unique_violation(caught.value, "bolt")


async def test_a_doubled_key_violates_the_primary_key(db):
    first = item("bolt")
    with pytest.raises(IntegrityError) as caught:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), [first, {**first, "name": "nut"}])

    assert is_unique_violation(caught.value, "pk_items")
    assert is_unique_violation(caught.value, "key")
    assert not is_unique_violation(caught.value, "uq_items_name_place")


async def test_a_missing_value_is_no_unique_violation(db):
    with pytest.raises(IntegrityError) as caught:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": None})

    assert not is_unique_violation(caught.value)
    assert not is_unique_violation(ValueError("UNIQUE constraint failed: items.name"))


async def test_values_come_back_as_they_went(db):
    moment = datetime(2026, 3, 2, 12, 30, 5, 123456, tzinfo=timezone(timedelta(hours=2)))
    xp = {"text": "ä", "number": 5, "list": [1, {"a": None}], "flag": True}
    sent = item("bolt", amount=2**62, at=moment, xp=xp)
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), sent)
        row = (await tx.execute(sa.select(ITEMS))).mappings().one()

    assert dict(row) == {**sent, "place": ""}
    assert row["at"].utcoffset() == timedelta(0)


async def test_times_order_as_times(db):
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    moments = [start + timedelta(microseconds=m) for m in (0, 1, 999_999, 1_000_000)]
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), [item(f"i{n}", at=at) for n, at in enumerate(reversed(moments))])
        found = (await tx.execute(sa.select(ITEMS.c.at).order_by(ITEMS.c.at))).scalars().all()
        late = (await tx.execute(sa.select(ITEMS.c.at).where(ITEMS.c.at > moments[1]))).scalars().all()

    assert list(found) == moments
    assert set(late) == set(moments[2:])


async def test_a_time_without_a_zone_is_refused(db):
    with pytest.raises(Exception, match="without a zone"):
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), item("bolt", at=datetime(2026, 3, 2)))  # noqa: DTZ001


async def test_a_missing_json_value_is_null(db):
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), item("bolt", xp=None))
        found = (await tx.execute(sa.select(ITEMS.c.name).where(ITEMS.c.xp.is_(None)))).scalars().all()

    assert found == ["bolt"]


async def test_retrying_gives_up_after_its_attempts_and_passes_other_failures_on(db, monkeypatch):
    runs = 0

    class Busy(sqlite3.OperationalError):
        sqlstate = "40001"

    async def never(_: Tx) -> None:
        nonlocal runs
        runs += 1
        raise DBAPIError("UPDATE", {}, Busy("could not serialize"))

    async def wrong(_: Tx) -> None:
        nonlocal runs
        runs += 1
        raise KeyError

    with pytest.raises(WaybillError, match="busy"):
        await db.retrying(never)
    assert runs == 5
    with pytest.raises(KeyError):
        await db.retrying(wrong)
    assert runs == 6


async def test_many_transactions_share_the_pool(db):
    async def write(n: int) -> None:
        await put(db, f"i{n:03}")
        assert f"i{n:03}" in await names(db)

    await asyncio.gather(*(write(n) for n in range(60)))

    assert len(await names(db)) == 60


async def test_an_unknown_database_is_refused():
    with pytest.raises(ValueError, match="mysql"):
        await Database.open("mysql://somewhere/db")
