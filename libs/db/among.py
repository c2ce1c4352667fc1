"""A column among many values: one parameter, and so one text of the statement and no bound of the driver's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def among(dialect: str, column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a text is one of these. Where they are few and their number hardly changes, `column.in_` does as well."""
    ordered = sorted(values)
    if dialect == "postgresql":
        listed: Any = sa.literal(ordered, ARRAY(sa.String()))
        return column == sa.any_(listed)
    each = sa.func.json_each(sa.literal(orjson.dumps(ordered).decode(), sa.String())).table_valued("value")
    return column.in_(sa.select(each.c.value))
