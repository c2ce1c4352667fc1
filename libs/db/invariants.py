"""Rules of an audit as SQL: each selects what breaks it, so that nothing is loaded where all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from iso4217 import Currency

from libs.db.database import Database, Tx
from libs.invariants import Audit, Finding, Record, RuleResult, Summary
from libs.money import minor_unit

SHOWN = 1_000
"""Most findings of one rule that are told; all are counted."""


@dataclass(frozen=True, slots=True)
class SqlRule:
    """`broken` selects `subject` and `detail` of what breaks the rule; no row means that it holds."""

    name: str
    broken: sa.Select[Any] | sa.CompoundSelect[Any]
    over: sa.Table | sa.Select[Any]
    """What it looks at: a table, or the rows that it is about."""


Look = Callable[[Tx], AsyncIterator[Finding | RuleResult]]
"""Judges rules within one snapshot: what breaks them, and of every rule what it looked at."""


def with_rules(audit: Audit, database: Database, look: Look) -> Audit:
    """The audit, and these rules before its own. They say nothing of single orders."""

    async def both(order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        results: list[RuleResult] = []
        if not order_keys:
            async with database.auditing() as tx:
                async for found in look(tx):
                    if isinstance(found, Finding):
                        yield found
                    else:
                        results.append(found)
        async for record in audit(order_keys):
            yield _with(record, results) if isinstance(record, Summary) else record

    return both


def _with(summary: Summary, results: Sequence[RuleResult]) -> Summary:
    return replace(
        summary,
        rules=summary.rules + len(results),
        rows=summary.rows + sum(r.rows for r in results),
        findings=summary.findings + sum(r.broken for r in results),
        results=(*summary.results, *results),
    )


def told(*parts: Any) -> sa.ColumnElement[str]:
    """Columns and texts put together as `detail`, the same on both databases."""
    joined: Any = sa.literal("")
    for part in parts:
        joined = joined + (sa.literal(part) if isinstance(part, str) else sa.cast(part, sa.String))
    detail: sa.ColumnElement[str] = joined.label("detail")
    return detail


def total(column: Any) -> Any:
    """A sum that is 0 over nothing."""
    return sa.func.coalesce(sa.func.sum(column), 0)


def finer_than_minor_unit(currency: Any, *amounts: Any) -> sa.ColumnElement[bool]:
    """Whether one of the amounts, in micros, is no whole number of minor units of its currency. What is null is not."""
    units: dict[int, list[str]] = {}
    for known in Currency:
        units.setdefault(minor_unit(known.code), []).append(known.code)
    usual = minor_unit("USD")
    unit = sa.case(*((currency.in_(codes), unit) for unit, codes in units.items() if unit != usual), else_=usual)
    return sa.or_(*(amount % unit != 0 for amount in amounts))


async def count(tx: Tx, over: sa.Table | sa.Select[Any] | sa.CompoundSelect[Any]) -> int:
    """How many rows there are."""
    source = over if isinstance(over, sa.Table) else over.subquery()
    return int((await tx.execute(sa.select(sa.func.count()).select_from(source))).scalar_one())


async def judged(tx: Tx, context: str, rules: Sequence[SqlRule]) -> AsyncIterator[Finding | RuleResult]:
    """Findings of every rule, and after them what the rule looked at."""
    counts: dict[sa.Table, int] = {}
    for rule in rules:
        rows = (await tx.execute(rule.broken.limit(SHOWN))).all()
        broken = len(rows) if len(rows) < SHOWN else await count(tx, rule.broken)
        for row in rows:
            yield Finding(context, rule.name, str(row.subject), str(row.detail))
        if not isinstance(rule.over, sa.Table):
            looked_at = await count(tx, rule.over)
        else:
            if rule.over not in counts:
                counts[rule.over] = await count(tx, rule.over)
            looked_at = counts[rule.over]
        yield RuleResult(rule.name, looked_at, broken)
