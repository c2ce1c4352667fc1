"""Conditions that name many values by one parameter."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def among(dialect: str, column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values: one parameter however many there are, where `in_` has one for each."""
    wanted = sorted(values)
    if dialect == "postgresql":
        return column == sa.any_(sa.literal(wanted, pg.ARRAY(sa.String)))
    each = sa.func.json_each(sa.literal(wanted, sa.JSON)).table_valued("value")
    return column.in_(sa.select(each.c.value))
