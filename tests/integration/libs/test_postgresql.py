"""What only PostgreSQL has: statements that wait, deadlocks, sockets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from random import Random

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from libs.db import Database, Tuning, Tx
from libs.db.conflicts import repeated
from libs.db.engines import postgresql_engine
from libs.errors import Kind, WaybillError
from tests.integration.libs.tables import ITEMS, METADATA, created


@pytest.fixture
async def db(postgres_url, tmp_path) -> AsyncIterator[Database]:
    schema = f"t{uuid.uuid4().hex[:12]}"
    async with created(postgres_url, schema, METADATA, tmp_path) as database:
        yield database
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    await connection.close()


WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
OPEN = sa.text(
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE datname = current_database() AND mode = 'RowExclusiveLock' AND relation = 'items'::regclass"
)


async def blocked(tx: Tx, statements: int) -> None:
    while (await tx.execute(WAITING)).scalar_one() < statements:
        await asyncio.sleep(0.01)


async def put(db: Database, *names: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), [{"key": uuid.uuid4(), "name": name, "amount": 0} for name in names])


@pytest.mark.parametrize(
    "values", [{"name": "x" * 101}, {"name": "a\0b"}, {"name": "bolt", "xp": {"a": "\0"}}], ids=["long", "nul", "nul in JSON"]
)
async def test_what_cannot_be_stored_is_the_callers_mistake_and_no_defect(db, values):
    async def store() -> None:
        async with db.reading() as tx:
            await tx.execute(sa.select(ITEMS))
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), **values})

    async def find() -> None:
        async with db.reading() as tx:
            await tx.execute(sa.select(ITEMS).where(ITEMS.c.name == "a\0b"))

    for asked in (store, find):
        with pytest.raises(WaybillError) as caught:
            await repeated(asked)
        assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "VALUE_NOT_STORABLE")


async def test_what_was_accepted_and_cannot_be_stored_is_a_defect(db):
    """After a commit, in a service that another one calls, and where nobody asked."""

    async def store() -> None:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "x" * 101})

    async def later() -> None:
        await put(db, "bolt")
        await store()

    for work in (repeated(later), repeated(store, outside=False), store()):
        with pytest.raises(sa.exc.DBAPIError):
            await work


async def test_canceling_a_running_statement_undoes_the_transaction(db):
    async def sleep() -> None:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "bolt"})
            await tx.execute(sa.text("SELECT pg_sleep(60)"))

    for _ in range(12):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sleep(), 0.05)
    await put(db, "nut")

    async with db.reading() as tx:
        assert (await tx.execute(sa.select(ITEMS.c.name))).scalars().all() == ["nut"]


def more(name: str) -> sa.Update:
    return sa.update(ITEMS).where(ITEMS.c.name == name).values(amount=ITEMS.c.amount + 1)


async def test_what_is_canceled_while_it_waits_for_a_lock_leaves_its_own_locks_at_once(db):
    await put(db, "a", "b")

    async def waits() -> None:
        async with db.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL client_connection_check_interval = 0"))
            await tx.execute(more("a"))
            await tx.execute(more("b"))

    async with db.transaction() as holder:
        await holder.execute(more("b"))
        waiting = asyncio.create_task(waits())
        await blocked(holder, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with db.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
            await tx.execute(more("a"))
        assert (await holder.execute(WAITING)).scalar_one() == 0


async def test_a_process_that_dies_while_it_waits_for_a_lock_leaves_its_own_locks(db, postgres_url):
    await put(db, "a", "b")
    another = await Database.open(postgres_url, db.schema)

    async def waits() -> None:
        async with another.transaction() as tx:
            await tx.execute(more("a"))
            socket.append((await tx._connection.get_raw_connection()).driver_connection._transport)
            await tx.execute(more("b"))

    socket: list[asyncio.Transport] = []
    async with db.transaction() as holder:
        await holder.execute(more("b"))
        waiting = asyncio.create_task(waits())
        await blocked(holder, 1)
        # As the kernel does it for a process that was killed: no word to the server.
        socket[0].abort()
        with pytest.raises(WaybillError):
            await waiting
        async with db.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL lock_timeout = '8s'"))
            await tx.execute(more("a"))
        assert (await holder.execute(WAITING)).scalar_one() == 0
    await another.close()


async def test_statements_canceled_anywhere_leave_no_transaction_open(db):
    await put(db, *"abcdefgh")
    random = Random(7)

    async def one(number: int) -> None:
        async with db.transaction() as tx:
            await tx.execute(more(random.choice("abcd")))
            await tx.execute(sa.text(f"SELECT {number}, generate_series(1, {random.choice((1, 5_000))})"))
            await tx.execute(more(random.choice("efgh")))

    async def canceled(number: int) -> None:
        task = asyncio.create_task(one(number))
        await asyncio.sleep(random.uniform(0, 0.03))
        task.cancel()
        await asyncio.wait([task])

    for round in range(20):
        await asyncio.gather(*(canceled(10 * round + i) for i in range(10)))
    async with db.transaction() as tx:
        await tx.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        assert (await tx.execute(sa.update(ITEMS).values(amount=0))).rowcount == 8
        assert (await tx.execute(OPEN)).scalar_one() == 1
    assert db.connections() == {"all": (0, Tuning().pool_size)}


async def test_retrying_gives_work_a_new_transaction_after_a_deadlock(db):
    await put(db, "a", "b")
    both_hold_one = asyncio.Barrier(2)
    runs = 0

    async def work(tx: Tx, order: tuple[str, str], met: list[bool]) -> None:
        nonlocal runs
        runs += 1
        for name in order:
            await tx.execute(sa.update(ITEMS).where(ITEMS.c.name == name).values(amount=ITEMS.c.amount + 1))
            if not met:
                met.append(True)
                await both_hold_one.wait()

    first: list[bool] = []
    second: list[bool] = []
    await asyncio.gather(
        db.retrying(lambda tx: work(tx, ("a", "b"), first)), db.retrying(lambda tx: work(tx, ("b", "a"), second))
    )

    assert runs == 3
    async with db.reading() as tx:
        assert (await tx.execute(sa.select(ITEMS.c.amount))).scalars().all() == [2, 2]


async def test_a_lost_connection_is_reported_and_replaced(db):
    with pytest.raises(WaybillError) as caught:
        async with db.transaction() as tx:
            await tx.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    await put(db, "nut")

    async with db.reading() as tx:
        assert (await tx.execute(sa.select(ITEMS.c.name))).scalars().all() == ["nut"]


async def test_reading_is_one_transaction_only_with_a_snapshot(db):
    async def starts(snapshot: bool) -> list[datetime]:
        async with db.reading(snapshot=snapshot) as tx:
            return [(await tx.execute(sa.text("SELECT now()"))).scalar_one() for _ in range(3)]

    assert len(set(await starts(snapshot=False))) == 3
    assert len(set(await starts(snapshot=True))) == 1
    # A connection that was read from is written to in a transaction again.
    async with db.transaction() as tx:
        assert len({(await tx.execute(sa.text("SELECT now()"))).scalar_one() for _ in range(3)}) == 1


async def test_commits_are_durable_and_read_committed(db):
    async with db.transaction() as tx:
        isolation = (await tx.execute(sa.text("SHOW transaction_isolation"))).scalar()
    async with db.reading(snapshot=True) as tx:
        snapshot = (await tx.execute(sa.text("SHOW transaction_isolation"))).scalar()
        read_only = (await tx.execute(sa.text("SHOW transaction_read_only"))).scalar()

    assert (isolation, snapshot, read_only) == ("read committed", "repeatable read", "on")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg"])
async def test_a_server_is_reached_through_a_socket_too(scheme):
    engine = postgresql_engine(make_url(f"{scheme}://clerk@/orders?host=/run/postgresql&port=5433"), None, Tuning())
    _, arguments = engine.dialect.create_connect_args(engine.url)

    assert {name: arguments[name] for name in ("host", "port", "user", "database")} == {
        "host": "/run/postgresql",
        "port": 5433,
        "user": "clerk",
        "database": "orders",
    }


async def test_an_inspection_outlives_the_pauses_that_end_other_transactions(postgres_url):
    database = await Database.open(postgres_url, None, Tuning(idle_timeout=0.05))
    try:
        async with database.inspecting() as inspection:
            await inspection.execute(sa.text("SELECT 1"))
            async with database.reading(snapshot=True) as other:
                pid = (await other.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
                # Begun later than the inspection, it is ended for its pause.
                await until_gone(postgres_url, pid)
            assert (await inspection.execute(sa.text("SELECT 2"))).scalar_one() == 2
        async with database.transaction() as tx:
            shown = (await tx.execute(sa.text("SHOW idle_in_transaction_session_timeout"))).scalar_one()
        assert shown == "50ms"
    finally:
        await database.close()


async def until_gone(postgres_url: str, pid: int) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid):
            await asyncio.sleep(0)
    finally:
        await connection.close()
