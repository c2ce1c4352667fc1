"""What may be filtered and ordered by, and the values that filters and page tokens give for it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.query.parser import Compare, FilterError
from libs.query.wildcards import fits

_LIMIT = 2**63
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}\Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?\Z")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9:]{5})?)?\Z")
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_EQUALITY = ("bool", "enum", "uuid")


@dataclass(frozen=True, slots=True)
class Field:
    """A column that may be filtered and ordered by. `kind` is text, int, micros, time, bool, uuid or enum."""

    column: sa.ColumnElement[Any]
    kind: str = "text"
    values: Mapping[str, Any] | None = None
    """For an enum: stored value by name in upper case."""

    @property
    def nullable(self) -> bool:
        """Whether a value may be missing."""
        return not isinstance(self.column, sa.Column) or bool(self.column.nullable)


def by_bytes(dialect: str, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A text that compares by its bytes: the collation of PostgreSQL's database has no say, as SQLite has none."""
    return sa.collate(text, "C") if dialect == "postgresql" else text


def contains(dialect: str, text: sa.ColumnElement[Any], part: str) -> sa.ColumnElement[bool]:
    """Whether the text holds the part, letter for letter; LIKE would ignore case on SQLite."""
    find = sa.func.strpos if dialect == "postgresql" else sa.func.instr
    return find(text, sa.literal(part, sa.String())) > 0


def compare(dialect: str, field: Field, node: Compare) -> sa.ColumnElement[bool]:
    """The condition of one comparison. `!=` matches missing values. Raises `FilterError`."""
    if node.any:
        return field.column.is_not(None)
    value = parse_value(field, node)
    if node.op == ":":
        if field.kind != "text":
            raise FilterError(f"{node.field} at character {node.at}: the has operator is for texts, or for *")
        return contains(dialect, field.column, value)
    if node.pattern and field.kind == "text":
        fitting = fits(dialect, field.column, node.pattern)
        if node.op == "=":
            return fitting
        return sa.or_(field.column.is_(None), sa.not_(fitting)) if field.nullable else sa.not_(fitting)
    if field.kind in _EQUALITY and node.op not in ("=", "!="):
        raise FilterError(f"{node.field} at character {node.at} compares with = and != only")
    ordered = field.kind == "text" and node.op not in ("=", "!=")
    column = by_bytes(dialect, field.column) if ordered else field.column
    # The wide type, whatever the column's: a value beyond it just matches nothing.
    kind = sa.BigInteger() if field.kind in ("int", "micros") else field.column.type
    compared: sa.ColumnElement[bool] = OPERATIONS[node.op](column, sa.literal(value, kind))
    return sa.or_(field.column.is_(None), compared) if node.op == "!=" and field.nullable else compared


def parse_value(field: Field, node: Compare) -> Any:
    """The value of a comparison in the field's own kind. Raises `FilterError`."""
    text = node.value
    try:
        match field.kind:
            case "int":
                return _int64(text)
            case "micros":
                return _micros(text)
            case "time":
                return _moment(text)
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case "uuid":
                return uuid.UUID(text)
            case "enum":
                return (field.values or {})[text.upper()]
            case _:
                return text
    except (ValueError, KeyError, ArithmeticError):
        raise FilterError(f"{text[:50]!r} is no value of {node.field} at character {node.at}") from None


def number(text: str) -> Decimal | None:
    """The number that a bare word is; None when it is none."""
    return Decimal(text) if _NUMBER.match(text) else None


def _int64(text: str) -> int:
    if not _INTEGER.match(text):
        raise ValueError
    return checked(int(text))


def checked(value: int) -> int:
    """The integer, if a database holds it. Raises ValueError."""
    if not -_LIMIT <= value < _LIMIT:
        raise ValueError
    return value


def _micros(text: str) -> int:
    found = number(text)
    if found is None or found != found.quantize(Decimal("0.000001")):
        raise ValueError
    return checked(int(found * 1_000_000))


def _moment(text: str) -> datetime:
    if not _TIME.match(text):
        raise ValueError
    moment = datetime.fromisoformat(text.upper())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
