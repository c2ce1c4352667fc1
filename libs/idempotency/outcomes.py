"""Requests with an id of the caller's own have one effect, however often they arrive.

The key is (company, user, method, request id); the outcome is stored in the transaction of the effect together with a
SHA-256 of the request without its id, and kept for 30 days unless a setting says otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Json, Tx, UtcTime
from libs.errors import Kind, WaybillError
from libs.idempotency import tombstones
from libs.idempotency.key import RequestKey
from libs.service.loops import Loop
from waybill.type.v1 import reasons

KEPT = timedelta(days=30)
FORGET_PAUSE = 3_600.0
"""Seconds between two looks for outcomes to forget."""
FIRST_LOOK = (10.0, 120.0)
"""Seconds after the start between which the first look is taken."""
FORGOTTEN_AT_ONCE = 5_000


def table(metadata: sa.MetaData) -> sa.Table:
    """The table of recorded outcomes."""
    return sa.Table(
        "requests",
        metadata,
        sa.Column("company", sa.String(100), primary_key=True),
        sa.Column("user_id", sa.String(100), primary_key=True),
        sa.Column("method", sa.String(100), primary_key=True),
        sa.Column("request_id", sa.String(100), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("outcome", Json(), nullable=False),
        sa.Column("create_time", UtcTime(), nullable=False, index=True),
    )


_KEY = ("company", "user_id", "method", "request_id")


def _where(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == sa.bindparam(f"k_{name}") for name in _KEY))


def _parameters(key: RequestKey) -> dict[str, Any]:
    return {f"k_{name}": getattr(key, name) for name in _KEY}


@cache
def _finding(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table.c.digest, table.c.outcome).where(_where(table))


async def find(tx: Tx, table: sa.Table, key: RequestKey | None) -> dict[str, Any] | None:
    """The recorded outcome of an earlier call, if any. Raises `REQUEST_ID_REUSED` for another request's id."""
    if key is None:
        return None
    row = (await tx.execute(_finding(table), _parameters(key))).first()
    if row is None:
        return None
    if row.digest != key.digest:
        raise WaybillError(
            Kind.INVALID,
            reasons.REQUEST_ID_REUSED,
            "the request id was used for another request",
            metadata={"request_id": key.request_id},
        )
    return dict(row.outcome)


async def claim(
    tx: Tx, table: sa.Table, key: RequestKey | None, outcome: Mapping[str, Any], now: datetime
) -> dict[str, Any] | None:
    """Records `outcome`, unless an earlier call recorded one: then that is returned and nothing must be done.

    The first statement of the effect's transaction. A second call at the same time waits here for the first.
    """
    if key is None:
        return None
    statement = tx.insert(table).on_conflict_do_nothing()
    inserted = await tx.execute(
        statement,
        {
            "company": key.company,
            "user_id": key.user_id,
            "method": key.method,
            "request_id": key.request_id,
            "digest": key.digest,
            "outcome": dict(outcome),
            "create_time": now,
        },
    )
    if inserted.rowcount == 1:
        return None
    return await find(tx, table, key)


async def amend(tx: Tx, table: sa.Table, key: RequestKey | None, outcome: Mapping[str, Any]) -> None:
    """Replaces the outcome within the transaction that recorded it."""
    if key is not None:
        await tx.execute(sa.update(table).where(_where(table)).values(outcome=dict(outcome)), _parameters(key))


def forgetting(
    database: Database,
    table: sa.Table,
    clock: Clock,
    kept: timedelta = KEPT,
    pause: float = FORGET_PAUSE,
    forever: Collection[str] = (),
) -> Loop:
    """A background loop that forgets outcomes older than `kept`; safe in every replica. After them it frees ids of what was
    deleted before that, if the service keeps such: no outcome then leads to one. Ids of the kinds in `forever` stay taken.

    It looks soon after the start too, at different moments in different processes.
    """

    async def forget() -> None:
        now = clock.now()
        while await database.retrying(lambda tx: expire(tx, table, now, kept)) >= FORGOTTEN_AT_ONCE:
            pass
        deleted = tombstones.of(table.metadata)
        if deleted is not None:
            while await database.retrying(lambda tx: tombstones.expire(tx, deleted, now - kept, forever)) >= FORGOTTEN_AT_ONCE:
                pass

    return Loop("forget", forget, pause, min(pause, random.uniform(*FIRST_LOOK)))


async def expire(tx: Tx, table: sa.Table, now: datetime, kept: timedelta = KEPT) -> int:
    """Forgets outcomes older than `kept`, so many at once that no statement takes long; returns how many."""
    key = list(table.primary_key.columns)
    old = sa.select(*key).where(table.c.create_time < now - kept).limit(FORGOTTEN_AT_ONCE)
    result = await tx.execute(sa.delete(table).where(sa.tuple_(*key).in_(old)))
    return int(result.rowcount)
