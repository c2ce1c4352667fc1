"""What recorded outcomes name has to exist: one request id, one effect, as a rule of an inspection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.db.invariants import SqlRule, judged, sentence, with_rules
from libs.idempotency import tombstones
from libs.invariants import Inspection

RULE = "request_has_its_effect"


def listed(dialect: str, requests: sa.Table, name: str) -> Any:
    """The texts of a list in the outcomes, as a table with one column, `value`."""
    outcome = requests.c.outcome
    if dialect == "postgresql":
        return sa.func.jsonb_array_elements_text(outcome[name]).table_valued("value")
    return sa.func.json_each(outcome, f"$.{name}").table_valued("value")


def shapeless(dialect: str, requests: sa.Table) -> sa.Select[Any]:
    """`subject` and `detail` of requests whose outcome is none: a repeat could not be answered from it."""
    r = requests.c
    kind = sa.func.jsonb_typeof(r.outcome) if dialect == "postgresql" else sa.func.json_type(r.outcome)
    return sa.select(r.request_id.label("subject"), sentence(r.method, ": its outcome cannot be read")).where(kind != "object")


def lost(dialect: str, requests: sa.Table, made: Mapping[str, sa.Table]) -> Sequence[sa.Select[Any]]:
    """`subject` and `detail` of requests whose outcome is none, and of those whose outcome names ids that never existed."""
    return [shapeless(dialect, requests), unmade(dialect, requests, made)]


def unmade(dialect: str, requests: sa.Table, made: Mapping[str, sa.Table]) -> sa.Select[Any]:
    """`subject` and `detail` of requests whose outcome names ids that never existed.

    `made`: the methods that make a resource, by name, and its table, which has an `id`. Of what was deleted the id is kept.
    """
    r, named = requests.c, listed(dialect, requests, "ids")
    missing = [
        sa.and_(
            r.method.like(f"%/{method}"),
            ~sa.exists().where(table.c.id == named.c.value),
            *_not_deleted(requests.metadata, table, named.c.value),
        )
        for method, table in made.items()
    ]
    return (
        sa.select(r.request_id.label("subject"), sentence(r.method, ": there is no ", named.c.value))
        .select_from(requests.join(named, sa.true()))
        .where(sa.or_(*missing))
    )


def _not_deleted(metadata: sa.MetaData, table: sa.Table, id: Any) -> Sequence[sa.ColumnElement[bool]]:
    deleted = tombstones.of(metadata)
    return [] if deleted is None else [~sa.exists().where(deleted.c.kind == table.name, deleted.c.id == id)]


def with_effects(
    inspection: Inspection, database: Database, context: str, requests: sa.Table, made: Mapping[str, sa.Table]
) -> Inspection:
    """The inspection, and this rule."""
    rule = SqlRule(RULE, sa.union_all(*lost(database.dialect, requests, made)), requests)
    return with_rules(inspection, database, lambda tx: judged(tx, context, [rule]))
