"""The changes of a service, written in the transactions that make them, and the switch that stops the writing.

A row says that one version of one resource came to be, by whom and by which call. It carries no body, since the owner
can be asked for it; only a delete keeps the last one, which is to be had nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.audit import trail as audit
from libs.audit.trail import Act
from libs.db import Json, Tx, UtcTime
from libs.relay.change import Cause, Change
from libs.rpc.call import CURRENT

CHANGES = "changes"
STATE = "change_feed"
_WRITTEN = ("resource", "resource_id", "version", "method", "client_id", "actor", "impersonator", "request_id", "time", "body")


def cause() -> Cause:
    """What is being served."""
    call = CURRENT.get()
    if call is None:
        return Cause()
    caller = call.caller
    if caller is None:
        return Cause(call.method, request_id=call.request_id)
    return Cause(call.method, caller.client_id, caller.user_id, caller.impersonator_id, call.request_id)


@dataclass(frozen=True, slots=True)
class Counted:
    """Where the id and the version of a change are found by the key of its row."""

    key: sa.Column[Any]
    id: sa.Column[Any]
    version: sa.ColumnElement[int]


@dataclass(frozen=True, slots=True)
class ChangeTables:
    """Where a service keeps its changes."""

    changes: sa.Table
    state: sa.Table
    """One row, or none as long as the feed has never been off: then it is on, in its first epoch."""
    counted: Counted | None = None
    """Rows whose id and version a change may leave to be looked up."""

    def looking_up(self, counted: Counted) -> ChangeTables:
        """The same tables, for changes of rows that are known by their keys only."""
        return ChangeTables(self.changes, self.state, counted)


def change_tables(metadata: sa.MetaData) -> ChangeTables:
    """Adds the tables to those of a service."""
    sa.Table(
        CHANGES,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("xact", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("resource", sa.String(60), nullable=False),
        # As long as the longest id of an assignment: a company, two more ids and what is between them.
        sa.Column("resource_id", sa.String(400), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("method", sa.String(120), nullable=False),
        sa.Column("client_id", sa.String(100), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("impersonator", sa.String(100), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("body", Json(), nullable=True),
        sa.Index("ix_changes_feed", "xact", "id"),
        sa.Index("ix_changes_resource", "resource", "resource_id", "xact"),
        # Else SQLite gives the id of a newest row that was forgotten again, and positions beyond it skip the new one.
        sqlite_autoincrement=True,
    )
    sa.Table(
        STATE,
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("epoch", sa.String(40), nullable=False),
        # The newest id from before this epoch, and the newest place that has been forgotten.
        sa.Column("before_id", sa.BigInteger, nullable=False),
        sa.Column("lost_xact", sa.BigInteger, nullable=False),
        sa.Column("lost_id", sa.BigInteger, nullable=False),
    )
    return tables_of(metadata)


def tables_of(metadata: sa.MetaData) -> ChangeTables:
    """The tables that `change_tables` has added; raises KeyError when it has not."""
    return ChangeTables(metadata.tables[CHANGES], metadata.tables[STATE])


def keeps_changes(metadata: sa.MetaData) -> bool:
    """Whether a service keeps them."""
    return CHANGES in metadata.tables


async def append(tx: Tx, tables: ChangeTables, changes: Sequence[Change]) -> None:
    """Writes changes in the transaction that makes them, after the rows that they describe: one statement for all.

    While the feed is off the statement writes nothing. It asks for the switch itself, and it holds the lock of the table
    until the transaction ends; so `switch` knows that nobody goes on by what it was before.
    """
    _audited(tx, tables, changes)
    await _append(tx, tables, changes)


async def _append(tx: Tx, tables: ChangeTables, changes: Sequence[Change]) -> None:
    if not changes:
        return
    by = cause()
    rows = [
        {
            "resource": change.resource,
            "resource_id": change.resource_id,
            "version": change.version,
            "method": by.method,
            "client_id": by.client_id,
            "actor": by.actor,
            "impersonator": by.impersonator,
            "request_id": by.request_id[:200],
            "time": change.time,
            "body": None if change.body is None else dict(change.body),
        }
        for change in changes
    ]
    counted = tables.counted if any(change.key is not None for change in changes) else None
    if counted is not None:
        rows = [{**row, "key": change.key} for row, change in zip(rows, changes, strict=True)]
    await tx.execute(_appending(ChangeTables(tables.changes, tables.state, counted), tx.dialect), rows)
    tx.announce(tables.changes)


def _audited(tx: Tx, tables: ChangeTables, changes: Sequence[Change]) -> None:
    """Administrative ones are in the log of acts too, whether the feed is on or off."""
    known = tables.counted
    acts = [
        Act(change.resource, change.resource_id, change.time, change.fields)
        if change.key is None or known is None
        else Act(change.resource, "", change.time, change.fields, key=change.key, looked_up=(known.key, known.id))
        for change in changes
    ]
    audit.note(tx, tables.changes.metadata, acts)


def note(tx: Tx, tables: ChangeTables, changes: Sequence[Change], *, follows: bool = False) -> None:
    """Has changes written at the end of the transaction: all that were noted in it, by one statement. What `follows` from
    another change of the transaction is no act of its own."""

    async def write(noted: Sequence[Change]) -> None:
        # What a row is at the end is looked up once, however often it has changed.
        found = {(change.resource, change.key): change for change in noted if change.key is not None}
        await _append(tx, tables, [change for change in noted if change.key is None] + list(found.values()))

    if not follows:
        _audited(tx, tables, changes)
    tx.note(tables.changes, changes, write)


@cache
def _appending(tables: ChangeTables, dialect: str) -> sa.Insert:
    changes, state = tables.changes, tables.state
    given: dict[str, Any] = {name: sa.bindparam(name, type_=changes.c[name].type) for name in _WRITTEN}
    if tables.counted is not None:
        known = tables.counted
        mine = known.key == sa.bindparam("key", type_=known.key.type)
        given["resource_id"] = sa.func.coalesce(sa.select(known.id).where(mine).scalar_subquery(), given["resource_id"])
        given["version"] = sa.func.coalesce(sa.select(known.version).where(mine).scalar_subquery(), given["version"])
    names, values = list(given), list(given.values())
    if dialect == "postgresql":
        names.append("xact")
        values.append(_place(changes, given["resource_id"]))
    off = sa.exists(sa.select(sa.literal_column("1")).select_from(state).where(sa.not_(state.c.enabled)))
    return sa.insert(changes).from_select(names, sa.select(*values).where(~off), include_defaults=False)


def _place(changes: sa.Table, resource_id: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Our transaction's id; or that of the resource's change before, if it is higher.

    A transaction may have had its id before it got hold of the resource, after one with a higher id. When the higher
    one may be served, so may everything below it.
    """
    mine = sa.cast(sa.cast(sa.func.pg_current_xact_id(), sa.String), sa.BigInteger)
    other = changes.alias("before")
    before = sa.select(sa.func.max(other.c.xact)).where(
        other.c.resource == sa.bindparam("resource", type_=other.c.resource.type), other.c.resource_id == resource_id
    )
    return sa.func.greatest(mine, before.scalar_subquery())
