"""What PostgreSQL makes a call wait for, and for how long; what comes out when it will not wait any longer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
import sqlalchemy as sa

from libs.db import Database, Tuning, Tx
from libs.errors import Kind, WaybillError
from tests.integration.libs.tables import ITEMS, METADATA, created
from tests.support.gate import Gate, gate

Open = Callable[[Tuning], Awaitable[Database]]


@pytest.fixture
async def opening(postgres_url, tmp_path) -> AsyncIterator[Open]:
    """Opens one and the same schema, which holds one item, with any tuning."""
    schema = f"t{uuid.uuid4().hex[:12]}"
    opened: list[Database] = []

    async def open_it(tuning: Tuning) -> Database:
        opened.append(await Database.open(postgres_url, schema, tuning))
        return opened[-1]

    async with created(postgres_url, schema, METADATA, tmp_path) as database:
        async with database.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "bolt", "amount": 0})
        yield open_it
    for database in opened:
        await database.close()
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    await connection.close()


async def add(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(sa.update(ITEMS).values(amount=ITEMS.c.amount + 1))


async def amount(database: Database) -> int:
    async with database.reading() as tx:
        return int((await tx.execute(sa.select(ITEMS.c.amount))).scalar_one())


def assert_retryable(error: WaybillError, reason: str) -> None:
    assert (error.kind, error.reason) == (Kind.UNAVAILABLE, reason)
    assert error.retry_after is not None


async def test_a_lock_that_others_hold_is_waited_for_no_longer_than_the_lock_timeout(opening):
    holder, waiter = await opening(Tuning()), await opening(Tuning(lock_timeout=0.1))
    async with holder.transaction() as tx:
        await tx.execute(sa.select(ITEMS).with_for_update())
        with pytest.raises(WaybillError) as caught:
            await add(waiter)
    assert_retryable(caught.value, "DATABASE_BUSY")
    await add(waiter)

    assert await amount(waiter) == 1


async def test_a_statement_runs_no_longer_than_the_statement_timeout(opening):
    database = await opening(Tuning(statement_timeout=0.1))

    async def sleep() -> None:
        async with database.transaction() as tx:
            await tx.execute(sa.update(ITEMS).values(amount=5))
            await tx.execute(sa.text("SELECT pg_sleep(60)"))

    with pytest.raises(WaybillError) as caught:
        await sleep()
    assert_retryable(caught.value, "DATABASE_BUSY")

    assert await amount(database) == 0


async def test_a_transaction_that_forgets_to_end_loses_its_connection_and_its_locks(opening):
    forgetful, other = await opening(Tuning(idle_timeout=0.1)), await opening(Tuning())

    async def forget() -> None:
        async with forgetful.transaction() as tx:
            await tx.execute(sa.update(ITEMS).values(amount=5))
            # Waits for the lock, and so for the server to end the other transaction.
            await add(other)
            await tx.execute(sa.select(ITEMS))

    with pytest.raises(WaybillError) as caught:
        await forget()
    assert_retryable(caught.value, "DATABASE_UNAVAILABLE")

    assert await amount(forgetful) == 1


async def test_a_pool_with_no_free_connection_is_waited_for_no_longer_than_the_pool_timeout(opening):
    database = await opening(Tuning(pool_size=1, pool_timeout=0.1))
    async with database.transaction():
        with pytest.raises(WaybillError) as caught:
            await add(database)
    assert_retryable(caught.value, "DATABASE_BUSY")
    await add(database)

    assert await amount(database) == 1


async def test_connections_that_the_server_closed_while_they_were_idle_are_replaced_without_a_failed_call(opening, postgres_url):
    database = await opening(Tuning(pool_size=4))
    gate = asyncio.Barrier(4)

    async def hold() -> int:
        async with database.reading() as tx:
            found = int((await tx.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one())
            await gate.wait()
            return found

    pids = await asyncio.gather(*(hold() for _ in range(4)))
    server = await asyncpg.connect(postgres_url)
    await server.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", pids)
    while await server.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", pids):
        await asyncio.sleep(0.01)
    await server.close()
    # The server is done with them; the news has still to arrive here.
    await asyncio.sleep(0.5)
    again = await asyncio.gather(*(hold() for _ in range(4)))

    assert set(again).isdisjoint(pids)


async def test_a_deadlock_outside_of_a_retry_is_busy(opening):
    database = await opening(Tuning())
    async with database.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "nut", "amount": 0})
    both_hold_one = asyncio.Barrier(2)

    async def work(*names: str) -> None:
        async with database.transaction() as tx:
            for name in names:
                await tx.execute(sa.update(ITEMS).where(ITEMS.c.name == name).values(amount=ITEMS.c.amount + 1))
                if name == names[0]:
                    await both_hold_one.wait()

    ends = await asyncio.gather(work("bolt", "nut"), work("nut", "bolt"), return_exceptions=True)
    failed = [end for end in ends if isinstance(end, WaybillError)]

    assert len(failed) == 1
    assert_retryable(failed[0], "DATABASE_BUSY")


async def test_a_serialization_failure_is_retried_in_a_new_transaction(opening):
    database = await opening(Tuning())
    both_have_read = asyncio.Barrier(2)
    runs = 0

    async def work(tx: Tx, met: list[bool]) -> None:
        nonlocal runs
        runs += 1
        await tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        found = int((await tx.execute(sa.select(ITEMS.c.amount))).scalar_one())
        if not met:
            met.append(True)
            await both_have_read.wait()
        await tx.execute(sa.update(ITEMS).values(amount=found + 1))

    first: list[bool] = []
    second: list[bool] = []
    await asyncio.gather(database.retrying(lambda tx: work(tx, first)), database.retrying(lambda tx: work(tx, second)))

    assert (runs, await amount(database)) == (3, 2)


async def test_a_server_that_is_not_there_is_unavailable():
    database = await Database.open("postgresql://nobody@127.0.0.1:1/nothing")
    for use in (database.transaction, database.reading):
        with pytest.raises(WaybillError) as caught:
            async with use():
                pass
        assert_retryable(caught.value, "DATABASE_UNAVAILABLE")
    await database.close()


async def test_failures_of_the_work_itself_pass_as_they_are(opening):
    database = await opening(Tuning())
    for wrong in (OSError("disk of the caller"), TimeoutError(), KeyError("x")):
        with pytest.raises(type(wrong)) as caught:
            async with database.transaction():
                raise wrong
        assert caught.value is wrong


@asynccontextmanager
async def through_a_gate(url: str, schema: str) -> AsyncIterator[tuple[Database, Gate]]:
    """A database behind a gate, with little patience, its one connection opened."""
    real = sa.engine.make_url(url)
    async with gate(real.host or "127.0.0.1", real.port or 5432) as door:
        own = real.set(host="127.0.0.1", port=door.own).render_as_string(hide_password=False)
        tuning = Tuning(pool_size=1, statement_timeout=0.5, reply_timeout=0.5, connect_timeout=0.5, migrate=False)
        database = await Database.open(own, schema, tuning)
        try:
            yield database, door
        finally:
            door.thaw()
            await database.close()


@pytest.fixture
async def frozen_later(postgres_url, tmp_path) -> AsyncIterator[tuple[Database, Gate]]:
    schema = f"t{uuid.uuid4().hex[:12]}"
    async with created(postgres_url, schema, METADATA, tmp_path) as database:
        async with database.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "bolt", "amount": 0})
        async with through_a_gate(postgres_url, schema) as opened:
            assert await amount(opened[0]) == 0
            yield opened
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    await connection.close()


async def refused(work: Awaitable[object]) -> WaybillError:
    """What a call on a frozen server ends with, and it does end."""
    async with asyncio.timeout(20):
        with pytest.raises(WaybillError) as caught:
            await work
    return caught.value


async def test_a_server_that_falls_silent_ends_a_statement_and_is_used_again_when_it_speaks(frozen_later):
    database, door = frozen_later
    door.freeze()
    assert_retryable(await refused(add(database)), "DATABASE_UNAVAILABLE")
    # Neither does a new connection wait for ever.
    assert_retryable(await refused(amount(database)), "DATABASE_UNAVAILABLE")
    assert database.connections()["all"][0] == 0
    door.thaw()

    await add(database)
    assert await amount(database) == 1


async def test_a_server_that_falls_silent_within_a_transaction_ends_it_undone(frozen_later):
    database, door = frozen_later

    async def change() -> None:
        async with database.transaction() as tx:
            await tx.execute(sa.update(ITEMS).values(amount=5))
            door.freeze()
            await tx.execute(sa.select(ITEMS))

    assert_retryable(await refused(change()), "DATABASE_UNAVAILABLE")
    assert database.connections()["all"][0] == 0
    door.thaw()

    assert await amount(database) == 0


async def test_a_server_that_does_not_answer_a_commit_leaves_an_outcome_that_is_unknown_not_a_call_that_waits(frozen_later):
    database, door = frozen_later

    async def change() -> None:
        async with database.transaction() as tx:
            await tx.execute(sa.update(ITEMS).values(amount=5))
            door.freeze()

    assert_retryable(await refused(change()), "DATABASE_UNAVAILABLE")
    assert database.connections()["all"][0] == 0
    door.thaw()

    assert await amount(database) in (0, 5)
