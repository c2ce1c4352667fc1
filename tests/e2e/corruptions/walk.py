"""Walks over what is stored: every watched column is changed and a row of every table deleted, one at a time."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from libs.db.types import Json, Micros, PublicId, UtcTime
from libs.db.watched import Register, Watched
from libs.invariants import ENDED, Fact, Finding, Record
from services.host.check.rules import RULES
from services.host.check.subjects import Subject
from tests.e2e.corruptions.books import Books
from tests.support.tampering import tampered
from waybill.inspection.v1 import inspection_service_pb2 as pb

Change = Callable[[Any], Any]
"""From a stored value to another one."""
Row = Callable[[Books], Any]
"""The condition of a row that matters."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table, or a column of it, is changed, and to what. By default any row, the value by the column's type."""

    row: Row | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    """By a name of its own for each."""


Places = Mapping[str, Place]
"""By table, or table and column: `orders`, `orders.status`."""


def another(column: sa.Column[Any], value: Any) -> Any:
    """A plausible value of the column's type that is not this one."""
    kind = column.type
    if isinstance(kind, UtcTime):
        return NOW if value is None else value + timedelta(hours=1)
    if isinstance(kind, sa.Uuid):
        return uuid.uuid4()
    if isinstance(kind, sa.Boolean):
        return not value
    if isinstance(kind, Micros | sa.Integer | sa.BigInteger):
        return (value or 0) + (1_000 if column.primary_key else 1)
    if isinstance(kind, Json):
        return _other_document(value)
    if isinstance(kind, sa.String | sa.Text | PublicId):
        return "EUR" if column.name == "currency" else _other_text(value)
    raise AssertionError(f"no other value of {column}")


def _other_text(value: str | None) -> str:
    try:
        return str(uuid.UUID(int=uuid.UUID(value).int + 1))
    except (ValueError, TypeError, AttributeError):
        return "other"


def _other_document(value: Any) -> Any:
    if isinstance(value, Mapping) and "city" in value:
        return {**value, "city": "Elsewhere"}
    if isinstance(value, Mapping):
        return {**value, "walked": True}
    return {"city": "Elsewhere"} if value is None else [*value, "walked"]


@dataclass(slots=True)
class Walk:
    """The check in process: one context is inspected again after each change, of the others the facts are kept."""

    books: Books
    facts: dict[str, list[pb.Fact]] = field(default_factory=dict)
    reporting: set[str] = field(default_factory=set)
    """Rules that have reported a change of what they watch."""
    ended: str = ""
    """What the last inspection was ended by before its time."""

    async def begin(self) -> None:
        """Reads every context once; nothing may be wrong yet."""
        for context, app in self.books.market.host.apps.items():
            records = [record async for record in app.inspected(())]
            wrong = [r for r in records if isinstance(r, Finding)]
            assert not wrong, wrong
            self.facts[context] = _facts(records)
        assert not self._across(self.facts)

    async def found(self, context: str) -> set[str]:
        """Rules that say something is wrong."""
        records = [record async for record in self.books.market.host.apps[context].inspected(())]
        findings = [r for r in records if isinstance(r, Finding)]
        self.ended = next((r.detail for r in findings if r.subject == ENDED), "")
        broken = {r.rule for r in findings}
        return broken | self._across({**self.facts, context: _facts(records)})

    def _across(self, facts: Mapping[str, Sequence[pb.Fact]]) -> set[str]:
        by_key: dict[str, list[pb.Fact]] = {}
        for of_context in facts.values():
            for fact in of_context:
                by_key.setdefault(fact.order_key, []).append(fact)
        subjects = [Subject.of(key, of_key) for key, of_key in by_key.items()]
        return {
            rule.name
            for subject in subjects
            for rule in RULES
            if rule.concerns(subject) and any(rule.differences(subject)) and not subject.under_way(rule.excuses)
        }


def _facts(records: Sequence[Record]) -> list[pb.Fact]:
    return [
        pb.Fact(context=r.context, kind=r.kind, order_key=r.order_key, values=dict(r.values))
        for r in records
        if isinstance(r, Fact)
    ]


async def unseen(walk: Walk, context: str, register: Register, places: Places) -> list[str]:
    """What was changed or deleted and not reported by a rule that should."""
    missed: list[str] = []
    for table, watch in register.items():
        steps: list[Callable[[], Awaitable[str | None]]] = [*_changes(walk, context, table, watch.columns, places)]
        if isinstance(watch.deleted, Watched):
            steps.append(partial(_deletion, walk, context, table, watch.deleted, places))
        for step in steps:
            if (wrong := await step()) is not None:
                missed.append(wrong)
    return missed


def _changes(
    walk: Walk, context: str, table: sa.Table, columns: Mapping[str, Any], places: Places
) -> Iterator[Callable[[], Awaitable[str | None]]]:
    for name, watched in columns.items():
        if not isinstance(watched, Watched):
            continue
        place = places.get(f"{table.name}.{name}") or places.get(table.name) or Place()
        changes = place.changes or {"": lambda value, column=table.c[name]: another(column, value)}
        for variant, change in changes.items():
            yield partial(_changed, walk, context, table, name, watched, place.row, change, variant)


async def _changed(
    walk: Walk, context: str, table: sa.Table, name: str, watched: Watched, row: Row | None, change: Change, variant: str
) -> str | None:
    column = table.c[name]
    filled = sa.case((sa.or_(column.is_(None), sa.cast(column, sa.String) == ""), 1), else_=0)
    where = [] if row is None else [row(walk.books)]
    found = await first(walk, context, sa.select(table).where(*where).order_by(filled, *table.primary_key))
    if found is None:
        return f"{table.name}.{name}: no row"
    statement = sa.update(table).where(*its(table, found)).values({name: change(found[name])})
    return await _judged(walk, context, f"{table.name}.{name} {variant}".strip(), statement, watched)


async def _deletion(walk: Walk, context: str, table: sa.Table, watched: Watched, places: Places) -> str | None:
    place = places.get(f"{table.name}.-") or places.get(table.name) or Place()
    where = [] if place.row is None else [place.row(walk.books)]
    found = await first(walk, context, sa.select(table).where(*where).order_by(*table.primary_key))
    if found is None:
        return f"{table.name}: no row"
    return await _judged(walk, context, f"a row of {table.name}", sa.delete(table).where(*its(table, found)), watched)


async def first(walk: Walk, context: str, statement: sa.Select[Any]) -> dict[str, Any] | None:
    """The first row of a service that a statement selects."""
    async with walk.books.database(context).reading() as tx:
        found = (await tx.execute(statement.limit(1))).mappings().first()
    return None if found is None else dict(found)


def its(table: sa.Table, row: Mapping[str, Any]) -> list[Any]:
    """The condition of this very row."""
    return [column == row[column.name] for column in table.primary_key]


async def _judged(walk: Walk, context: str, what: str, statement: Any, watched: Watched) -> str | None:
    async with tampered(walk.books.database(context), [statement]):
        found = await walk.found(context)
    walk.reporting |= found & watched.rules
    return None if found & watched.rules else f"{what}: not {sorted(watched.rules)}, but {sorted(found)}"
