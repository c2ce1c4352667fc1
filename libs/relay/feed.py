"""A feed of events in one table: gap-free per aggregate, safe to resume.

On PostgreSQL rows of transactions that run at the same time become visible in another order than their ids; so a
reader is given only what is older than the oldest running transaction. Nothing is skipped that commits late.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Json, Tx, UtcTime


def event_table(metadata: sa.MetaData, name: str, *columns: sa.Column[Any]) -> sa.Table:
    """A table of events. `sequence` counts an aggregate's events from 1 without a gap."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("aggregate_key", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("xact", sa.BigInteger, nullable=False, server_default="0"),
        *columns,
        sa.UniqueConstraint("aggregate_key", "sequence"),
        sa.Index(f"ix_{name}_feed", "xact", "id"),
        # Else SQLite gives the id of a newest row that was deleted again, and positions beyond it skip the new one.
        sqlite_autoincrement=True,
    )


def epoch_table(metadata: sa.MetaData, name: str) -> sa.Table:
    """The epochs of a feed, one row each; none in the first. A restore begins a new one: positions of another are void."""
    return sa.Table(
        name,
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.String(40), nullable=False),
    )


async def epoch(tx: Tx, epochs: sa.Table) -> str:
    """The epoch that positions belong to now; empty for the first."""
    newest = sa.select(epochs.c.epoch).order_by(epochs.c.number.desc()).limit(1)
    return str((await tx.execute(newest)).scalar() or "")


def new_epoch(events: str, epochs: str) -> list[str]:
    """Statements, for both databases, that begin a new epoch in restored tables of these (quoted) names.

    Transaction ids mean something in their own cluster only: in another one, restored events could lie beyond the
    horizon. So all of them go before everything new, in the order of their ids, which keeps each aggregate's sequence.
    """
    made = uuid.uuid4().hex
    return [
        f"UPDATE {events} SET xact = 0 WHERE xact <> 0",
        f"INSERT INTO {epochs} (number, epoch) SELECT coalesce(max(number), 0) + 1, '{made}' FROM {epochs}",
    ]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a feed: everything up to it has been served."""

    xact: int = 0
    id: int = 0


async def append(tx: Tx, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Adds events in the transaction that caused them. All rows name the same columns."""
    if rows:
        await tx.execute(_appending(table, tuple(rows[0]), tx.dialect), list(rows))
        tx.announce(table)


@cache
def _appending(table: sa.Table, names: tuple[str, ...], dialect: str) -> sa.Insert:
    statement = sa.insert(table)
    if dialect != "postgresql":
        return statement
    return statement.values({**{name: sa.bindparam(name) for name in names}, "xact": _place(table)})


def _place(table: sa.Table) -> sa.ColumnElement[int]:
    """Our transaction's id; or that of the aggregate's event before, if it is higher.

    A transaction may have had its id before it got hold of the aggregate, after one with a higher id. When the higher
    one may be served, so may everything below it.
    """
    mine = sa.cast(sa.cast(sa.func.pg_current_xact_id(), sa.String), sa.BigInteger)
    other = table.alias("before")
    before = sa.select(other.c.xact).where(
        other.c.aggregate_key == sa.bindparam("aggregate_key"), other.c.sequence == sa.bindparam("sequence") - 1
    )
    return sa.func.greatest(mine, before.scalar_subquery())


def _horizon() -> sa.ColumnElement[int]:
    snapshot = sa.func.pg_snapshot_xmin(sa.func.pg_current_snapshot())
    return sa.cast(sa.cast(snapshot, sa.String), sa.BigInteger)


async def read(
    tx: Tx, table: sa.Table, select: sa.Select[Any], position: Position, limit: int
) -> tuple[list[sa.RowMapping], Position]:
    """Rows after a position, and where to go on: behind the last one or, when there are no more, at the end of the feed.

    Rows and end come from one statement, so from one snapshot: what commits after it lies beyond the end. Without the
    end, a reader whom few rows concern would look through all the others again and again.
    """
    rows = (await tx.execute(_after(tx, table, select, position, limit))).mappings().all()
    found = [row for row in rows if row["id"] is not None]
    if found:
        position = Position(found[-1]["xact"], found[-1]["id"])
    if len(found) < limit:
        position = max(position, _end(tx, rows[0]["feed_end"]))
    return found, position


def _after(tx: Tx, table: sa.Table, select: sa.Select[Any], position: Position, limit: int) -> sa.Select[Any]:
    """Rows and the end beside each; a row of nothing but the end when there are none."""
    c = table.c
    end: sa.ColumnElement[Any]
    if tx.dialect == "postgresql":
        end = _horizon()
        order = ["xact", "id"]
        select = select.where(sa.tuple_(c.xact, c.id) > sa.tuple_(position.xact, position.id), c.xact < end)
    else:
        end = sa.select(sa.func.max(c.id)).scalar_subquery()
        order = ["id"]
        # The planner takes the caller's condition for the narrower one, unless a likelihood says that little is new.
        select = select.where(sa.func.likelihood(c.id > position.id, sa.literal_column("0.000001")))
    found = select.order_by(*(c[name] for name in order)).limit(limit).subquery("found")
    ends = sa.select(end.label("feed_end")).subquery("ends")
    both = sa.select(found, ends.c.feed_end).select_from(ends.outerjoin(found, sa.true()))
    return both.order_by(*(found.c[name] for name in order))


def _end(tx: Tx, stored: int | None) -> Position:
    """The end of the feed as a position: everything below the horizon, or up to the newest id."""
    if tx.dialect == "postgresql":
        # Everything below the horizon has been decided; what comes later is at or above it.
        return Position(int(stored or 0) - 1, 2**62)
    return Position(0, int(stored or 0))


async def latest(tx: Tx, table: sa.Table) -> Position:
    """The end of the feed as it may be served now."""
    end = _horizon() if tx.dialect == "postgresql" else sa.func.max(table.c.id)
    return _end(tx, (await tx.execute(sa.select(end))).scalar())
