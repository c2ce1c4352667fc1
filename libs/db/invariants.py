"""Rules of an inspection as SQL: each selects what breaks it, so that nothing is loaded where all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from iso4217 import Currency

from libs import invariants as inspected
from libs.db.database import Database, Tx
from libs.db.refusals import refusal
from libs.invariants import Finding, Inspection, Record, RuleResult, Summary
from libs.money import minor_unit

_K = TypeVar("_K")
_T = TypeVar("_T")
SHOWN = 1_000
"""The inspection lists at most this many findings of one rule; all are counted."""
NOT_KNOWN = "a row that is not known"
"""Subject of what a rule failed by as a whole."""


@dataclass(frozen=True, slots=True)
class SqlRule:
    """`broken` selects `subject` and `detail` of what breaks the rule; no row means that it holds.

    Statements are large, and putting one together costs more than sending it: a rule is made once, and keeps its own.
    """

    name: str
    broken: sa.Select[Any] | sa.CompoundSelect[Any]
    over: sa.Table | sa.Select[Any] | sa.CompoundSelect[Any]
    """What it looks at: a table, or the rows that it is about."""
    shown: sa.Select[Any] | sa.CompoundSelect[Any] = field(init=False, compare=False, repr=False)
    """As many of what breaks it as are listed."""
    looked_at: sa.Select[Any] = field(init=False, compare=False, repr=False)
    """How much it looks at."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", self.broken.limit(SHOWN))
        object.__setattr__(self, "looked_at", _of_table(self.over) if isinstance(self.over, sa.Table) else _number(self.over))


Look = Callable[[Tx], AsyncIterator[Finding | RuleResult]]
"""Judges rules within one snapshot: what breaks them, and of every rule what it looked at."""


def with_rules(inspection: Inspection, database: Database, look: Look) -> Inspection:
    """The inspection, and these rules before its own. They say nothing of single orders."""

    async def both(order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        results: list[RuleResult] = []
        if not order_keys:
            async with database.inspecting() as tx:
                async for found in look(tx):
                    if isinstance(found, Finding):
                        yield found
                    else:
                        results.append(found)
        async for record in inspection(order_keys):
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


def sentence(*parts: Any) -> sa.ColumnElement[str]:
    """Columns and texts put together as `detail`, the same on both databases."""
    joined: Any = sa.literal("")
    for part in parts:
        joined = joined + (sa.literal(part) if isinstance(part, str) else sa.cast(part, sa.String))
    detail: sa.ColumnElement[str] = joined.label("detail")
    return detail


def names_are_known(names: Mapping[sa.Column[Any], Iterable[str]]) -> SqlRule:
    """What stands in these columns are names that the software has given: no others, and none of a newer version."""
    by_table: dict[Any, list[tuple[sa.Column[Any], list[str]]]] = {}
    for column, known in names.items():
        by_table.setdefault(column.table, []).append((column, sorted(known)))
    found = [_of_unknown_names(table, columns) for table, columns in by_table.items()]
    rows = sa.union_all(*(sa.select(sa.literal(1).label("row")).select_from(table) for table in by_table))
    return SqlRule("names_are_known", sa.union_all(*found), rows)


def _of_unknown_names(table: sa.Table, columns: Sequence[tuple[sa.Column[Any], list[str]]]) -> sa.Select[Any]:
    key = [part for column in table.primary_key for part in ("/", column)][1:]
    said = [part for column, _ in columns for part in (f", {column.name} '", sa.func.coalesce(column, ""), "'")]
    unknown = sa.or_(*(column.not_in(known) for column, known in columns))
    subject = sentence(f"{table.name} ", *key).element.label("subject")
    return sa.select(subject, sentence(said[0][2:], *said[1:])).where(unknown)


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
    return await _counted(tx, _of_table(over) if isinstance(over, sa.Table) else _number(over))


async def _counted(tx: Tx, statement: sa.Select[Any]) -> int:
    return int((await tx.execute(statement)).scalar_one())


@cache
def _of_table(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(table)


def _number(rows: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(rows.subquery())


async def judged(tx: Tx, context: str, rules: Sequence[SqlRule]) -> AsyncIterator[Finding | RuleResult]:
    """Findings of every rule, and after them what the rule looked at. A rule that fails is broken, and hinders no other."""
    counts: dict[sa.Table, int] = {}
    await _saved(tx, _SAVE)
    for rule in rules:
        try:
            records = await _judge(tx, context, rule, counts)
        except Exception as error:
            records = [Finding(context, rule.name, NOT_KNOWN, why(error)), RuleResult(rule.name, 0, 1)]
            await _saved(tx, _RETURN)
        for record in records:
            yield record
    await _saved(tx, _RELEASE)


async def _judge(tx: Tx, context: str, rule: SqlRule, counts: dict[sa.Table, int]) -> list[Finding | RuleResult]:
    rows = (await tx.execute(rule.shown)).all()
    broken = len(rows) if len(rows) < SHOWN else await count(tx, rule.broken)
    found: list[Finding | RuleResult] = [Finding(context, rule.name, str(row.subject), str(row.detail)) for row in rows]
    if not isinstance(rule.over, sa.Table):
        looked_at = await _counted(tx, rule.looked_at)
    else:
        if rule.over not in counts:
            counts[rule.over] = await _counted(tx, rule.looked_at)
        looked_at = counts[rule.over]
    return [*found, RuleResult(rule.name, looked_at, broken)]


_SAVE, _RETURN, _RELEASE = (
    sa.text(f"{command} rules") for command in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)
"""One for all rules, none of which writes: it is still there when a transaction has returned to it."""


async def _saved(tx: Tx, command: sa.TextClause) -> None:
    """What has failed leaves the transaction usable. SQLite's is so by itself."""
    if tx.dialect == "postgresql":
        await tx.execute(command)


def why(error: Exception) -> str:
    """What something stored could not be made sense of by; what the database itself fails by is raised again."""
    refused = refusal(error)
    if refused is not None:
        raise refused from error
    return inspected.why(error)


async def readable(
    context: str, what: str, keys: Sequence[_K], read: Callable[[Sequence[_K]], Awaitable[Iterable[_T]]]
) -> AsyncIterator[_T | Finding]:
    """All that `read` makes of these keys, in their order; of one of which it can make nothing, a finding.

    They are read together. Only where that fails does each half stand for itself, so that those at fault are found.
    """
    if not keys:
        return
    try:
        found = list(await read(keys))
    except Exception as error:
        if len(keys) == 1:
            yield Finding(context, inspected.UNREADABLE, f"{what} {keys[0]}", why(error))
            return
        why(error)
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            async for one in readable(context, what, half, read):
                yield one
        return
    for one in found:
        yield one


async def in_parts(context: str, **parts: AsyncIterator[Finding | RuleResult]) -> AsyncIterator[Finding | RuleResult]:
    """One part of an inspection after the other; what one fails by hinders no other."""
    for name, part in parts.items():
        try:
            async for record in part:
                yield record
        except Exception as error:
            yield Finding(context, inspected.UNREADABLE, f"all that is looked at for {name}", why(error))
