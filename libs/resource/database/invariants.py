"""A rule of inspections for every resource: what is stored can be said in its contract, and would be stored the same again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import SHOWN, Look, SqlRule, judged, readable, why
from libs.errors import Violations
from libs.invariants import Finding, RuleResult
from libs.resource.database.resource import Resource

RULE = "stored_as_its_contract_allows"
PART = 1_000
"""Rows in memory at a time."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource, and what its columns beside the attributes have to be: each follows from the rest of the row."""

    resource: Resource
    derived: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)


def wrong(stored: Stored, row: Row) -> list[str]:
    """Names of columns that no request could have left as they are, sorted. Empty when the row is sound."""
    shape, found = stored.resource.shape, Violations()
    try:
        values = shape.read(found, "", shape.write(row))
    except Exception as error:
        why(error)
        # What cannot even be put into a message, as an amount in a currency that there is not.
        return ["row"]
    columns = {name for name, value in values.items() if value != row[name]}
    columns |= {name for name, follows in stored.derived.items() if follows(row) != row[name]}
    columns |= {violation.field.lstrip(".").partition("[")[0].partition(".")[0] for violation in found.items}
    return sorted(columns)


def looking(context: str, rules: Sequence[SqlRule], stored: Sequence[Stored]) -> Look:
    """Judges the rules of a context, and every row of its resources."""

    async def look(tx: Tx) -> AsyncIterator[Finding | RuleResult]:
        async for record in judged(tx, context, rules):
            yield record
        rows, broken = 0, 0
        for kind in stored:
            async for row in _rows(tx, context, kind.resource):
                if isinstance(row, Finding):
                    yield row
                    continue
                rows += 1
                if columns := wrong(kind, row):
                    broken += 1
                    if broken <= SHOWN:
                        yield Finding(context, RULE, f"{kind.resource.shape.name} {row['id']}", ", ".join(columns))
        yield RuleResult(RULE, rows, broken)

    return look


async def _rows(tx: Tx, context: str, resource: Resource) -> AsyncIterator[Row | Finding]:
    table, last = resource.table, ""
    ordered = sa.select(table.c.id).order_by(table.c.id).limit(PART)

    async def read(ids: Sequence[str]) -> list[Row]:
        rows = await tx.execute(sa.select(table).where(table.c.id.in_(ids)).order_by(table.c.id))
        return [dict(row) for row in rows.mappings()]

    while ids := (await tx.execute(ordered.where(table.c.id > last))).scalars().all():
        async for row in readable(context, resource.shape.name, ids, read):
            yield row
        last = ids[-1]
