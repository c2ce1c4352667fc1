"""Turns filter, order_by and page token into conditions on one table, the same on both databases.

Pages are keyset pages: the token holds the last row's values and is bound to the arguments that it was made for.
Missing values come last in ascending order and first in descending order.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import sqlalchemy as sa

from libs.errors import Violations
from libs.query.parser import Compare, FilterError, Group, Node, Not, parse

DEFAULT_PAGE = 50
MAX_PAGE = 1_000
_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column that may be filtered and ordered by. `kind` is text, int, micros, time, bool, uuid or enum."""

    column: sa.ColumnElement[Any]
    kind: str = "text"
    values: Mapping[str, Any] | None = None
    """For an enum: stored value by name."""


@dataclass(frozen=True, slots=True)
class _Order:
    expression: sa.ColumnElement[Any]
    label: str
    kind: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page and where the next one begins."""

    rows: list[Any]
    next_page_token: str


class Listing:
    """What a list of one resource can be asked for."""

    def __init__(
        self,
        fields: Mapping[str, Field],
        key: sa.ColumnElement[Any],
        *,
        default_order: str = "create_time desc",
        xp: sa.ColumnElement[Any] | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._key = key
        self._default = default_order
        self._xp = xp

    def plan(
        self,
        dialect: str,
        *,
        filter: str = "",
        order_by: str = "",
        page_size: int = 0,
        page_token: str = "",
        bound: Mapping[str, str] | None = None,
    ) -> Plan:
        """Checks the arguments, all at once, and makes a plan of them. `bound` is what else the token belongs to."""
        found = Violations()
        if page_size < 0:
            found.add("page_size", "VALUE_OUT_OF_RANGE", "must be zero or more")
        condition = self._filter(found, dialect, filter)
        orders = self._orders(found, dialect, order_by or self._default)
        digest = _digest(filter, order_by, bound or {})
        after = _after(found, page_token, digest, orders)
        found.raise_if_any()
        return Plan(condition, orders, self._key, min(page_size or DEFAULT_PAGE, MAX_PAGE), after, digest)

    def _filter(self, found: Violations, dialect: str, text: str) -> sa.ColumnElement[bool] | None:
        try:
            node = parse(text)
            return None if node is None else self._condition(dialect, node)
        except FilterError as error:
            found.add("filter", "FILTER_INVALID", f"the filter is not understood: {error}")
            return None

    def _condition(self, dialect: str, node: Node) -> sa.ColumnElement[bool]:
        if isinstance(node, Group):
            parts = [self._condition(dialect, item) for item in node.items]
            return sa.and_(*parts) if node.op == "AND" else sa.or_(*parts)
        if isinstance(node, Not):
            return sa.not_(sa.func.coalesce(self._condition(dialect, node.item), sa.false()))
        return self._compare(dialect, node)

    def _compare(self, dialect: str, node: Compare) -> sa.ColumnElement[bool]:
        if node.path[0] == "xp" and self._xp is not None:
            return _compare_xp(dialect, self._xp, node)
        field = self._fields.get(".".join(node.path))
        if field is None:
            raise FilterError(f"there is no field {'.'.join(node.path)!r}")
        value = _value(field, node)
        if node.op == ":":
            if field.kind != "text":
                raise FilterError(f"{node.path[0]}: the has operator is for texts")
            return field.column.contains(str(value), autoescape=True)
        if field.kind in ("bool", "enum", "uuid") and node.op not in ("=", "!="):
            raise FilterError(f"{node.path[0]} compares with = and != only")
        compared: sa.ColumnElement[bool] = _OPS[node.op](field.column, value)
        return sa.or_(field.column.is_(None), compared) if node.op == "!=" else compared

    def _orders(self, found: Violations, dialect: str, text: str) -> list[_Order]:
        orders: list[_Order] = []
        for part in text.split(","):
            words = part.split()
            if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
                found.add("order_by", "ORDER_BY_INVALID", f"{part.strip()!r} is not `field` or `field desc`")
                return []
            descending = len(words) == 2 and words[1].lower() == "desc"
            path = words[0].split(".")
            field = self._fields.get(words[0])
            if field is not None:
                orders.append(_Order(field.column, f"o{len(orders)}", field.kind, descending))
            elif path[0] == "xp" and self._xp is not None and len(path) > 1:
                text_of = _xp_text(dialect, self._xp, path[1:])
                orders.append(_Order(text_of, f"o{len(orders)}", "text", descending))
            else:
                found.add("order_by", "ORDER_BY_INVALID", f"there is no field {words[0]!r}")
                return []
        return orders


class Plan:
    """A checked list request."""

    def __init__(
        self, condition: sa.ColumnElement[bool] | None, orders: Sequence[_Order], key: sa.ColumnElement[Any],
        size: int, after: list[Any] | None, digest: str,
    ) -> None:  # fmt: skip
        self._condition = condition
        self._orders = orders
        self._key = key
        self._size = size
        self._after = after
        self._digest = digest

    def apply(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """The statement with filter, order, keyset and limit."""
        if self._condition is not None:
            select = select.where(self._condition)
        for order in self._orders:
            select = select.add_columns(order.expression.label(order.label))
            # Missing last when ascending, first when descending, on both databases.
            absent = order.expression.is_(None)
            direction = order.expression.desc() if order.descending else order.expression.asc()
            select = select.order_by(absent.desc() if order.descending else absent.asc(), direction)
        last_descending = bool(self._orders) and self._orders[-1].descending
        select = select.order_by(self._key.desc() if last_descending else self._key.asc())
        select = select.add_columns(self._key.label("okey"))
        if self._after is not None:
            select = select.where(self._beyond(self._after, last_descending))
        return select.limit(self._size + 1)

    def _beyond(self, after: list[Any], key_descending: bool) -> sa.ColumnElement[bool]:
        *values, key = after
        alternatives: list[sa.ColumnElement[bool]] = []
        equal: list[sa.ColumnElement[bool]] = []
        for order, value in zip(self._orders, values, strict=True):
            column = order.expression
            if value is None:
                farther: sa.ColumnElement[bool] = column.is_not(None) if order.descending else sa.false()
                same: sa.ColumnElement[bool] = column.is_(None)
            else:
                farther = column < value if order.descending else sa.or_(column > value, column.is_(None))
                same = column == value
            alternatives.append(sa.and_(*equal, farther))
            equal.append(same)
        last = self._key < key if key_descending else self._key > key
        alternatives.append(sa.and_(*equal, last))
        return sa.or_(*alternatives)

    def page(self, rows: Sequence[Any]) -> Page:
        """Cuts the extra row off and makes the token of the next page."""
        if len(rows) <= self._size:
            return Page(list(rows), "")
        kept = list(rows[: self._size])
        last = kept[-1]
        values = [_to_json(getattr(last, order.label)) for order in self._orders]
        payload = orjson.dumps([self._digest, *values, _to_json(last.okey)])
        return Page(kept, base64.urlsafe_b64encode(payload).decode().rstrip("="))


def _digest(filter: str, order_by: str, bound: Mapping[str, str]) -> str:
    text = orjson.dumps([filter, order_by, sorted(bound.items())])
    return hashlib.sha256(text).hexdigest()[:16]


def _after(found: Violations, token: str, digest: str, orders: Sequence[_Order]) -> list[Any] | None:
    if not token:
        return None
    try:
        payload = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if len(payload) != len(orders) + 2 or not hmac.compare_digest(str(payload[0]), digest):
            raise ValueError
        return [_from_json(value) for value in payload[1:]]
    except (ValueError, TypeError, KeyError, binascii.Error, orjson.JSONDecodeError):
        found.add("page_token", "PAGE_TOKEN_INVALID", "the page token belongs to other arguments or is none of ours")
        return None


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, uuid.UUID):
        return {"u": str(value)}
    return {"d": str(value)} if isinstance(value, Decimal) else value


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "t" in value:
        return datetime.fromisoformat(value["t"])
    return uuid.UUID(value["u"]) if "u" in value else Decimal(value["d"])


def _value(field: Field, node: Compare) -> Any:
    text = node.value
    try:
        match field.kind:
            case "int":
                return int(text)
            case "micros":
                return int((Decimal(text) * 1_000_000).to_integral_value())
            case "time":
                moment = datetime.fromisoformat(text)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case "uuid":
                return uuid.UUID(text)
            case "enum":
                return (field.values or {})[text.upper()]
            case _:
                return text
    except (ValueError, KeyError, InvalidOperation):
        raise FilterError(f"{text!r} is no value of {'.'.join(node.path)}") from None


def _xp_text(dialect: str, column: sa.ColumnElement[Any], path: Sequence[str]) -> sa.ColumnElement[Any]:
    if dialect == "postgresql":
        parts = sa.cast(sa.literal("{" + ",".join(path) + "}"), sa.ARRAY(sa.String))
        return column.op("#>>")(parts).cast(sa.String)
    return sa.func.json_extract(column, "$." + ".".join(f'"{p}"' for p in path), type_=sa.String)


def _compare_xp(dialect: str, column: sa.ColumnElement[Any], node: Compare) -> sa.ColumnElement[bool]:
    path = node.path[1:]
    if not path or node.op == ":":
        raise FilterError("an xp field is named as xp.name and compared with = != < <= > >=")
    found = _xp_text(dialect, column, path)
    if not node.quoted and node.value.lower() in ("true", "false"):
        if node.op not in ("=", "!="):
            raise FilterError("true and false compare with = and != only")
        wanted: Any = node.value.lower()
        if dialect == "sqlite":
            # json_extract gives 1 and 0 for booleans; the type tells them from numbers.
            where = "$." + ".".join(f'"{p}"' for p in path)
            found = sa.func.json_type(column, where, type_=sa.String)
        same: sa.ColumnElement[bool] = sa.func.coalesce(found == wanted, sa.false())
        return same if node.op == "=" else sa.not_(same)
    if not node.quoted:
        number = _number(node.value)
        if number is not None:
            if dialect == "postgresql":
                is_number = found.regexp_match(r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$")
                left: Any = sa.case((is_number, sa.cast(found, sa.Numeric)), else_=None)
            else:
                left = sa.type_coerce(found, sa.Numeric(asdecimal=False))
            compared = _OPS[node.op](left, number)
            return sa.or_(left.is_(None), compared) if node.op == "!=" else compared
    text: sa.ColumnElement[bool] = _OPS[node.op](found, node.value)
    return sa.or_(found.is_(None), text) if node.op == "!=" else text


def _number(text: str) -> Any:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


