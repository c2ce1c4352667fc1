"""Administrative acts, written in the transactions that carry them out.

An act is administrative when a user of the seller does it, or whoever acts in the place of a user; and whoever does it, when it
is about one of the resources that a service names for this. Only what a caller asks for itself is in the log: what services do
for it elsewhere follows from that, and so does background work.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Json, Tx, UtcTime
from libs.rpc.call import CURRENT, Call

AUDIT = "audit_entries"
_ALWAYS = "always"
_WRITTEN = (
    *("time", "action", "method", "resource", "resource_id", "fields"),
    *("user_id", "party", "impersonator_id", "client_id", "request_id"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """What is done to one resource."""

    resource: str
    resource_id: str
    time: datetime
    fields: tuple[str, ...] = ()
    """Names of those that an update sets; never what they are set to."""
    action: str = ""
    """What it is called where that is not the rpc. Such an act is in the log though nobody calls."""
    key: Any = None
    """Key of the row whose id is looked up at the end of the transaction, instead of that above."""
    looked_up: tuple[sa.Column[Any], sa.Column[Any]] | None = None
    """Columns of that key and of the id."""


def audit_table(metadata: sa.MetaData, always: Collection[str] = ()) -> sa.Table:
    """Adds the table to those of a service. `always` are the resources that are in the log whoever changes them."""
    return sa.Table(
        AUDIT,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("method", sa.String(120), nullable=False),
        sa.Column("resource", sa.String(60), nullable=False),
        sa.Column("resource_id", sa.String(400), nullable=False),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("user_id", sa.String(100), nullable=False),
        sa.Column("party", sa.String(120), nullable=False),
        sa.Column("impersonator_id", sa.String(100), nullable=False),
        sa.Column("client_id", sa.String(100), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Index("ix_audit_entries_time", "time", "id"),
        sa.Index("ix_audit_entries_user", "user_id", "time"),
        sa.Index("ix_audit_entries_resource", "resource", "resource_id", "time"),
        sqlite_autoincrement=True,
        info={_ALWAYS: frozenset(always)},
    )


def note(tx: Tx, metadata: sa.MetaData, acts: Sequence[Act]) -> None:
    """Has those that are administrative written at the end of the transaction: of one call and one resource one entry."""
    table = metadata.tables.get(AUDIT)
    if table is None:
        return
    call = CURRENT.get()
    kept = [act for act in acts if act.action or _administrative(call, act.resource, table.info[_ALWAYS])]

    async def write(noted: Sequence[Act]) -> None:
        rows: dict[tuple[str, str, Any], tuple[Act, dict[str, Any]]] = {}
        for act in noted:
            at = (act.action or act.resource, act.resource_id, act.key)
            before = rows[at][1]["fields"] if at in rows else []
            fields = [*before, *(name for name in act.fields if name not in before)]
            rows[at] = (act, {**_row(act, call), "fields": fields})
        plain = [row for act, row in rows.values() if act.looked_up is None]
        await tx.execute(tx.insert(table), plain)
        for columns in dict.fromkeys(act.looked_up for act, _ in rows.values()):
            if columns is not None:
                found = [{**row, "key": act.key} for act, row in rows.values() if act.looked_up == columns]
                await tx.execute(_looking_up(table, *columns), found)

    tx.note(table, kept, write)


def _administrative(call: Call | None, resource: str, always: Collection[str]) -> bool:
    if call is None or call.caller is None or call.caller_service is not None:
        return False
    return call.caller.is_seller or bool(call.caller.impersonator_id) or resource in always


def _row(act: Act, call: Call | None) -> dict[str, Any]:
    """Who does it is whoever calls; a command on the machine itself is nobody's call."""
    caller = None if call is None else call.caller
    method = "" if call is None else call.method
    return {
        "time": act.time,
        "action": act.action or method.rpartition("/")[2],
        "method": method,
        "resource": act.resource,
        "resource_id": act.resource_id,
        "user_id": "" if caller is None else caller.user_id,
        "party": "" if caller is None else f"{caller.party_kind.value}:{caller.party_id}",
        "impersonator_id": "" if caller is None else caller.impersonator_id,
        "client_id": "" if caller is None else caller.client_id,
        "request_id": "" if call is None else call.request_id[:200],
    }


@cache
def _looking_up(table: sa.Table, key: sa.Column[Any], id: sa.Column[Any]) -> sa.Insert:
    given: dict[str, Any] = {name: sa.bindparam(name, type_=table.c[name].type) for name in _WRITTEN}
    mine = sa.select(id).where(key == sa.bindparam("key", type_=key.type)).scalar_subquery()
    given["resource_id"] = sa.func.coalesce(mine, given["resource_id"])
    return sa.insert(table).from_select(list(given), sa.select(*given.values()), include_defaults=False)
