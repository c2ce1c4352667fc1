"""Rows that fail again and again wait longer each time, are counted, and forget it when they succeed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from libs.clock import ManualClock
from libs.db import UtcTime, metadata
from libs.obs.metrics import REGISTRY
from libs.service import retries
from libs.service.retries import Retries, failures_of
from tests.integration.libs.tables import created
from tests.support.databases import Databases

METADATA = metadata()
WORK = sa.Table(
    "work",
    METADATA,
    sa.Column("key", sa.Uuid(), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("due", UtcTime(), nullable=True),
    *retries.columns(),
)
ITEM = (uuid.UUID(int=1), 1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def counted() -> float:
    return REGISTRY.get_sample_value("waybill_work_failures_total", {"service": "test", "loop": "look"}) or 0.0


async def test_a_row_that_fails_waits_longer_each_time_until_it_succeeds(databases: Databases, tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with created(*await databases("work"), METADATA, tmp_path) as database:
        rows = Retries(database, clock, ("test", "look"), WORK, "due", "key", "number", unfinished=WORK.c.due.is_not(None))

        async def row() -> sa.Row[tuple[int, str, datetime]]:
            async with database.reading() as tx:
                return (await tx.execute(sa.select(WORK.c.failures, WORK.c.failure, WORK.c.due).where(WORK.c.number == 1))).one()

        async with database.transaction() as tx:
            await tx.execute(tx.insert(WORK), [{"key": ITEM[0], "number": n, "due": START if n == 1 else None} for n in (1, 2)])
        before, waits = counted(), []
        for _ in range(8):
            await rows.failed(ITEM, "KeyError" * 50)
            waits.append(((await row()).due - clock.now()).total_seconds())
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        assert failures_of(await row()) == {"failures": "8", "failure": ("KeyError" * 50)[:200]}
        assert counted() == before + 8
        await rows.went(ITEM)
        assert failures_of(await row()) == {}
        await rows.failed((ITEM[0], 2), "it has ended")
        async with database.reading() as tx:
            assert (await tx.execute(sa.select(WORK.c.failures).where(WORK.c.number == 2))).scalar() == 0
