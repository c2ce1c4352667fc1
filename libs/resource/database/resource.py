"""A resource and the table that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from libs.auth import Principal
from libs.db import Json, Micros, UtcTime
from libs.query import Field, Listing
from libs.query.listing import DEFAULT_ORDER
from libs.resource.contract import Attribute, Shape, Storage

Clause = sa.ColumnElement[bool] | None
"""A condition on rows; None is all."""
Rule = Callable[[Principal], Clause]
"""The rows that are there for a caller."""
Referring = Callable[[str, str], sa.ColumnElement[bool]]
"""(dialect, id) -> the rows that refer to that id."""
_TYPES: Mapping[Storage, Callable[[int], Any]] = {
    Storage.TEXT: sa.String,
    Storage.WHOLE: lambda _: sa.BigInteger(),
    Storage.TRUTH: lambda _: sa.Boolean(),
    Storage.MICROS: lambda _: Micros(),
    Storage.INSTANT: lambda _: UtcTime(),
    Storage.DOCUMENT: lambda _: Json(),
}


def _column(attribute: Attribute) -> sa.Column[Any]:
    made = _TYPES[attribute.storage](attribute.length)
    return sa.Column(attribute.name, made, nullable=attribute.nullable, index=attribute.index)


def resource_table(metadata: sa.MetaData, name: str, shape: Shape, *more: Any) -> sa.Table:
    """The table of a resource: public id, the attributes, version and times, and what else it needs."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(100), primary_key=True),
        *(_column(a) for a in shape.attributes.values()),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcTime(), nullable=False, index=True),
        sa.Column("update_time", UtcTime(), nullable=False),
        *more,
    )


def _everyone(_: Principal) -> Clause:
    return None


@dataclass(frozen=True, slots=True)
class UsedBy:
    """Rows that refer to a resource, which is not deleted as long as there are any."""

    kind: str
    """Their word in errors."""
    key: sa.ColumnElement[str]
    """What they are called by."""
    referring: Referring

    @staticmethod
    def column(kind: str, key: sa.ColumnElement[str], reference: sa.ColumnElement[str]) -> UsedBy:
        """Rows that have the id in a column."""
        return UsedBy(kind, key, lambda _, id: reference == id)


class Resource:
    """A shape in its table. `visible` says which rows a caller sees, `writable` which of them it may change and delete; both are
    all rows unless given. Whoever stores rows of `uses` locks what they refer to in the same transaction."""

    def __init__(
        self,
        shape: Shape,
        table: sa.Table,
        visible: Rule = _everyone,
        writable: Rule | None = None,
        uses: Sequence[UsedBy] = (),
        default_order: str = DEFAULT_ORDER,
    ) -> None:
        self.shape = shape
        self.table = table
        self.visible = visible
        self.writable = writable or visible
        self.uses = uses
        filterable = {a.name: Field(table.c[a.name], a.kind) for a in shape.attributes.values() if a.kind}
        for name, kind in (("id", "text"), ("create_time", "time"), ("update_time", "time")):
            filterable[name] = Field(table.c[name], kind)
        xp = table.c.xp if "xp" in table.c else None
        self.listing = Listing(filterable, table.c.id, default_order=default_order, xp=xp)
