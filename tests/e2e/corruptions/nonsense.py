"""Rows that hold what no version of the software has ever written: the check names them, and goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db.types import Json, PublicId
from libs.db.watched import Register, Watch, Watched
from tests.e2e.corruptions.walk import Place, Places, Walk, first, its
from tests.support.tampering import tampered

UNKNOWN = "NO_SUCH_VALUE"
NAMES = re.compile(r"(^|_)(status|state|kind|type|result|operation|outcome|hold|strategy|grouping)$")
"""Columns whose texts are names that the software gave."""


def unknown(column: sa.Column[Any], stored: Any) -> Any:
    """A value that fits into the column and means nothing; what is stored where there is none."""
    if isinstance(column.type, Json):
        return {"no_such": UNKNOWN} if isinstance(stored, list) else [UNKNOWN]
    if isinstance(column.type, sa.LargeBinary):
        return b"\xff\xff"
    if isinstance(column.type, sa.String | sa.Text | PublicId) and not column.primary_key:
        length = getattr(column.type, "length", None)
        return UNKNOWN[:length]
    return stored


OPEN = {"payments.type"}
"""Names that callers may choose: a payment of a type that is not known is a promise, like a purchase order."""


async def unreported(walk: Walk, context: str, register: Register, places: Places) -> list[str]:
    """What means nothing and was not reported: every name by itself, then all that a row holds at once."""
    missed: list[str] = []
    for table, watch in register.items():
        for column, place in _alone(table, watch.columns, places):
            missed += await _judged(walk, context, table, (column,), watch, place)
        missed += await _judged(walk, context, table, tuple(table.columns), watch, places.get(table.name) or Place())
    return missed


def _alone(table: sa.Table, watched: Mapping[str, Any], places: Places) -> Iterator[tuple[sa.Column[Any], Place]]:
    for column in table.columns:
        if not isinstance(watched[column.name], Watched) or f"{table.name}.{column.name}" in OPEN:
            continue
        if NAMES.search(column.name) and not isinstance(column.type, Json):
            yield column, places.get(f"{table.name}.{column.name}") or places.get(table.name) or Place()


async def _judged(
    walk: Walk, context: str, table: sa.Table, columns: Sequence[sa.Column[Any]], watch: Watch, place: Place
) -> list[str]:
    name = f"{table.name}.{columns[0].name}" if len(columns) == 1 else f"all of {table.name}"
    where = [] if place.row is None else [place.row(walk.books)]
    if not any(isinstance(watch.columns[column.name], Watched) for column in columns):
        return []
    row = await first(walk, context, sa.select(table).where(*where).order_by(*table.primary_key))
    if row is None:
        return [f"{name}: no row"]
    changed = {column.name: unknown(column, row[column.name]) for column in columns}
    values = {column: value for column, value in changed.items() if value != row[column]}
    if not any(isinstance(watch.columns[column], Watched) for column in values):
        return []
    statement = sa.update(table).where(*its(table, row)).values(**values)
    async with tampered(walk.books.database(context), [statement]):
        found, ended = await walk.found(context), walk.ended
    return [f"{name}: {ended or 'nothing is reported'}"] if ended or not found else []
