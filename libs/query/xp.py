"""Extended properties: paths into a JSON column, the same on both databases.

A comparison is typed: a quoted text or a bare word compares with JSON strings, a number with JSON numbers, true and
false with JSON booleans. A path names keys of objects; it does not index arrays. A JSON null is a missing value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from libs.query.fields import OPERATIONS, by_bytes, contains, number
from libs.query.parser import Compare, FilterError
from libs.query.wildcards import fits

Expression = sa.ColumnElement[Any]
EXACT = 2**53
"""Numbers of xp are doubles, as those of google.protobuf.Struct are: from here on some integers are missing."""
MAX_PATH = 20
"""Names in a path; a database would follow each."""
_NUMERIC = re.compile(r"[+-]?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|nan|inf|infinity)\Z", re.IGNORECASE)
"""Bare words that are meant as numbers, whether xp holds such a number or not."""


class XpPath:
    """One path into one JSON column."""

    def __init__(self, dialect: str, column: Expression, path: Sequence[str]) -> None:
        if len(path) > MAX_PATH:
            raise FilterError(f"a path of xp has at most {MAX_PATH} names")
        self._dialect = dialect
        self._column = column
        self._numbers: tuple[str, ...]
        self._strings: tuple[str, ...]
        if dialect == "postgresql":
            node = column
            for key in path:
                node = node.op("->", return_type=JSONB())(sa.literal(key, sa.String()))
            self._node = node
            self._type: Expression = sa.func.jsonb_typeof(node, type_=sa.String())
            self._scalar: Expression = node.op("#>>", return_type=sa.String())(sa.literal_column("'{}'::text[]"))
            self._numbers, self._strings = ("number",), ("string",)
        else:
            self._where = sa.literal("$" + "".join(f'."{key}"' for key in path), sa.String())
            self._type = sa.func.json_type(column, self._where, type_=sa.String())
            self._scalar = sa.func.json_extract(column, self._where, type_=sa.String())
            self._numbers, self._strings = ("integer", "real"), ("text",)

    @property
    def number(self) -> Expression:
        """The value if it is a number, else null."""
        if self._dialect == "postgresql":
            return sa.case((self._type == "number", sa.cast(self._scalar, sa.Numeric())), else_=sa.null())
        value = sa.type_coerce(self._scalar, sa.Float())
        return sa.case((self._type.in_(self._numbers), value), else_=sa.null())

    @property
    def string(self) -> Expression:
        """The value if it is a string, else null."""
        return sa.case((self._type.in_(self._strings), self._scalar), else_=sa.null())

    @property
    def text(self) -> Expression:
        """What orders values that are no numbers: strings as they are, booleans by name, else null."""
        if self._dialect == "postgresql":
            return by_bytes(self._dialect, sa.case((self._type.in_(("string", "boolean")), self._scalar), else_=sa.null()))
        return sa.case((self._type == "text", self._scalar), (self._type.in_(("true", "false")), self._type), else_=sa.null())

    @property
    def present(self) -> sa.ColumnElement[bool]:
        """Whether there is a value."""
        return sa.func.coalesce(self._type, "null") != "null"

    def literal(self, value: Decimal) -> Expression:
        """A number to compare `number` with."""
        if self._dialect == "postgresql":
            return sa.literal(value, sa.Numeric())
        return sa.literal(float(value), sa.Float())

    def is_boolean(self, wanted: bool) -> sa.ColumnElement[bool]:
        """Whether the value is this boolean; never null."""
        name = "true" if wanted else "false"
        if self._dialect == "postgresql":
            same = sa.and_(self._type == "boolean", self._scalar == name)
        else:
            same = self._type == name
        return sa.func.coalesce(same, sa.false())

    def has(self, value: str | bool | Decimal) -> sa.ColumnElement[bool]:
        """Whether an array holds the value, a string the text, or the value is it."""
        held: sa.ColumnElement[bool]
        if self._dialect == "postgresql":
            plain = str(value) if isinstance(value, Decimal) else orjson.dumps(value).decode()
            wanted = sa.cast(sa.literal(plain, sa.String()), JSONB())
            held = self._node.op("@>", return_type=sa.Boolean())(wanted)
        else:
            held = self._held(value)
        if isinstance(value, str):
            held = sa.case((self._type.in_(self._strings), contains(self._dialect, self._scalar, value)), else_=held)
        return sa.case((self._type == "object", sa.false()), else_=held)

    def _held(self, value: str | bool | Decimal) -> sa.ColumnElement[bool]:
        item = sa.func.json_each(self._column, self._where).table_valued("value", "type", name="item")
        if isinstance(value, bool):
            same = item.c.type == ("true" if value else "false")
        elif isinstance(value, Decimal):
            same = sa.and_(item.c.type.in_(self._numbers), sa.type_coerce(item.c.value, sa.Float()) == self.literal(value))
        else:
            same = sa.and_(item.c.type == "text", item.c.value == value)
        return sa.exists(sa.select(sa.literal(1)).select_from(item).where(same))


def compare_xp(dialect: str, column: Expression, node: Compare) -> sa.ColumnElement[bool]:
    """The condition of one comparison of `xp.a.b`. `!=` matches missing values and those of another type."""
    if len(node.path) < 2:
        raise FilterError(f"an xp field at character {node.at} is named as xp.name")
    path = XpPath(dialect, column, node.path[1:])
    if node.any:
        return path.present
    value = _value(node)
    if node.op == ":":
        return path.has(value)
    if node.pattern:
        fitting = fits(dialect, path.string, node.pattern, plain=False)
        return fitting if node.op == "=" else sa.or_(path.string.is_(None), sa.not_(fitting))
    if isinstance(value, bool):
        if node.op not in ("=", "!="):
            raise FilterError(f"true and false compare with = and != only, at character {node.at}")
        return path.is_boolean(value) if node.op == "=" else sa.not_(path.is_boolean(value))
    if isinstance(value, Decimal):
        left, right = path.number, path.literal(value)
    else:
        left, right = path.string, sa.literal(value, sa.String())
        if node.op not in ("=", "!="):
            left = by_bytes(dialect, left)
    compared: sa.ColumnElement[bool] = OPERATIONS[node.op](left, right)
    return sa.or_(left.is_(None), compared) if node.op == "!=" else compared


def _value(node: Compare) -> str | bool | Decimal:
    if node.quoted:
        return node.value
    if node.value.lower() in ("true", "false"):
        return node.value.lower() == "true"
    return _number(node) if _NUMERIC.match(node.value) else node.value


def _number(node: Compare) -> Decimal:
    """The double that a literal stands for, written as short as it can be: so both databases compare it with stored ones.

    Raises `FilterError` for what no double is: too large, not a number at all, or an integer that would become another one.
    """
    found = number(node.value)
    double = math.inf if found is None else float(found)
    where = f"{node.value[:50]!r} at character {node.at}"
    if not math.isfinite(double):
        raise FilterError(f"{where} is beyond the numbers that xp holds; a text goes in quotes")
    if "e" not in node.value.lower() and abs(double) >= EXACT and int(double) != found:
        raise FilterError(f"{where} is beyond the integers that xp stores exactly, which end at 2^53; a text goes in quotes")
    return Decimal(repr(double))
