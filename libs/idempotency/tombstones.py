"""Ids of what was deleted stay taken for as long as recorded outcomes are kept, and those of some kinds for ever.

So an answer that was recorded never leads to another resource of the same id, and what others remember of an id stays true
of the resource that they mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx, UtcTime

DELETED = "deleted_ids"
FORGOTTEN_AT_ONCE = 5_000


def table(metadata: sa.MetaData) -> sa.Table:
    """The table of ids that are gone."""
    return sa.Table(
        DELETED,
        metadata,
        # The table where it stood: ids are unique within one.
        sa.Column("kind", sa.String(60), primary_key=True),
        sa.Column("id", sa.String(260), primary_key=True),
        sa.Column("delete_time", UtcTime(), nullable=False, index=True),
    )


def of(metadata: sa.MetaData) -> sa.Table | None:
    """That table, if the service keeps one."""
    return metadata.tables.get(DELETED)


def gone(deleted: sa.Table, kind: str, ids: Iterable[str]) -> sa.Select[Any]:
    """Those of the ids that are gone, as `id`."""
    return sa.select(deleted.c.id).where(deleted.c.kind == kind, deleted.c.id.in_(list(ids)))


async def bury(tx: Tx, deleted: sa.Table, kind: str, ids: Iterable[str], now: datetime) -> None:
    """Keeps ids taken, in the transaction that deletes what they named."""
    rows = [{"kind": kind, "id": id, "delete_time": now} for id in ids]
    insert = tx.insert(deleted)
    await tx.execute(insert.on_conflict_do_update(index_elements=["kind", "id"], set_={"delete_time": now}), rows)


async def expire(tx: Tx, deleted: sa.Table, before: datetime, forever: Collection[str] = ()) -> int:
    """Frees ids of what was deleted before a time, but for those of the kinds in `forever`; so many at once that no statement
    takes long. Returns how many."""
    d = deleted.c
    old = sa.select(d.kind, d.id).where(d.delete_time < before, d.kind.not_in(list(forever))).limit(FORGOTTEN_AT_ONCE)
    return int((await tx.execute(sa.delete(deleted).where(sa.tuple_(d.kind, d.id).in_(old)))).rowcount)
