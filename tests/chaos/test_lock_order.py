"""Rows are locked in one order everywhere: calls that meet over the same orders, stock and money wait, and never deadlock."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import asyncpg

from libs.db.tuning import Tuning
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.parties import People, sign_in
from tests.chaos.steps import accept, cancel, place, provide, settled, ship, supplier_order, until_answered
from tests.support.marketplace import marketplace
from tests.support.sealing import sealing_key_for
from waybill_client import AsyncWaybill, WaybillError

ORDERS = 8
CARTS = ({"anvil": 1, "crate": 2, "lamp": 1}, {"lamp": 1, "crate": 2, "anvil": 1})
"""The same products in opposite orders."""


async def tried(call) -> None:
    """Makes a call that others may have made impossible."""
    with contextlib.suppress(WaybillError):
        await until_answered(call)


async def live(everyone: list[People], number: int) -> None:
    """One order: placed through both servers at once; then the supplier ships while the seller cancels."""
    id, cart = f"LOCK-{number}", CARTS[number % 2]
    await asyncio.gather(*(tried(lambda people=people: place(people.ada, id, cart)) for people in everyone))
    await settled(everyone[0].ada, id)

    async def deliver(people: People) -> None:
        clerk = people.clerks["lumenworks"]
        mine = await supplier_order(clerk, id)
        await accept(clerk, mine.id)
        await ship(clerk, mine.id, {"l3" if number % 2 == 0 else "l1": 1})

    await asyncio.gather(
        *(tried(lambda people=people: deliver(people)) for people in everyone),
        *(tried(lambda people=people: cancel(people.sam, id)) for people in everyone),
    )


async def deadlocks(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    finally:
        await connection.close()


async def test_calls_that_meet_over_the_same_rows_never_deadlock(cluster_database: str, tmp_path: Path):
    async with marketplace(tmp_path, cluster_database, rests=True) as market:
        await provide(market.people.owner, market.people.ada)
        async with running(
            HostSettings(
                data=tmp_path,
                database_url=cluster_database,
                sealing_key=sealing_key_for(cluster_database),
                tuning=Tuning(pool_size=8),
            )
        ) as second:
            owner = AsyncWaybill(second.address, "waybill-admin", market.secret.client_secret)
            other = await sign_in(second.address, owner)
            await asyncio.gather(*(live([market.people, other], number) for number in range(ORDERS)))
            await other.close()
    # Sessions report what they have seen at their end, and all have ended.
    assert await deadlocks(cluster_database) == 0


async def test_the_server_counts_a_deadlock(cluster_database: str):
    first, second = await asyncpg.connect(cluster_database), await asyncpg.connect(cluster_database)
    await first.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
    await second.execute("BEGIN; SELECT pg_advisory_xact_lock(2)")
    ends = await asyncio.gather(
        first.execute("SELECT pg_advisory_xact_lock(2)"),
        second.execute("SELECT pg_advisory_xact_lock(1)"),
        return_exceptions=True,
    )
    assert [type(end) for end in ends].count(asyncpg.DeadlockDetectedError) == 1
    await first.close()
    await second.close()
    async with asyncio.timeout(30):
        while await deadlocks(cluster_database) != 1:
            await asyncio.sleep(0.05)
