"""What a use case pays for its promises: one durable transaction, with and without the request's outcome and the event."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Json, Tx, metadata
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from libs.relay.feed import append, event_table

METADATA = metadata()
THINGS = sa.Table("things", METADATA, sa.Column("key", sa.Uuid(), primary_key=True), sa.Column("data", Json(), nullable=False))
REQUESTS = outcomes.table(METADATA)
EVENTS = event_table(METADATA, "thing_events")
DATA = {"lines": [{"product": f"p{i}", "quantity": i, "price": 9_990_000} for i in range(3)]}
STATEMENT = sa.insert(THINGS)


async def _change(tx: Tx) -> uuid.UUID:
    key = uuid.uuid4()
    await tx.execute(STATEMENT, {"key": key, "data": DATA})
    return key


async def _event(tx: Tx, key: uuid.UUID) -> None:
    row = {"aggregate_key": key, "sequence": 1, "type": "thing_made", "data": {"by": "bench"}, "time": datetime.now(UTC)}
    await append(tx, EVENTS, [row])


async def _request(tx: Tx) -> None:
    key = RequestKey("BUYER:acme", "ada", "Make", uuid.uuid4().hex, "0" * 64)
    await outcomes.claim(tx, REQUESTS, key, {"thing": "x"}, datetime.now(UTC))


async def plain(tx: Tx) -> None:
    """The change alone."""
    await _change(tx)


async def with_event(tx: Tx) -> None:
    """The change and its event."""
    await _event(tx, await _change(tx))


async def with_request(tx: Tx) -> None:
    """The change and the outcome of its request."""
    await _request(tx)
    await _change(tx)


async def with_both(tx: Tx) -> None:
    """As every mutation does it."""
    await _request(tx)
    await _event(tx, await _change(tx))


WORKS: tuple[tuple[str, Callable[[Tx], Awaitable[None]]], ...] = (
    ("a change", plain),
    ("and its event", with_event),
    ("and its request", with_request),
    ("and both", with_both),
)


async def measure(layout: str, url: str, count: int) -> list[dict[str, Any]]:
    """Median wall and mean CPU milliseconds of a transaction of each kind, in turns, so that noise falls on all alike."""
    database = await Database.open(url, "bench_parts" if url.startswith("postgresql") else None)
    async with database.transaction() as tx:
        if database.schema:
            await tx.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{database.schema}"'))
        await tx.run_sync(lambda connection: METADATA.create_all(connection))
    wall: dict[str, list[float]] = {name: [] for name, _ in WORKS}
    cpu: dict[str, list[float]] = {name: [] for name, _ in WORKS}
    for number in range(count + 20):
        for name, work in WORKS:
            began, used = time.perf_counter(), time.process_time()
            async with database.transaction() as tx:
                await work(tx)
            if number >= 20:
                wall[name].append((time.perf_counter() - began) * 1_000)
                cpu[name].append((time.process_time() - used) * 1_000)
    await database.close()
    return [
        {
            "layout": layout,
            "name": name,
            "wall_ms": statistics.median(wall[name]),
            "cpu_ms": statistics.mean(cpu[name]),
            "cpu_to_plain": statistics.mean(cpu[name]) / statistics.mean(cpu[WORKS[0][0]]),
        }
        for name, _ in WORKS
    ]
