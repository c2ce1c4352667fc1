"""Turns filter, order_by and page token into conditions on one table, the same on both databases."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from libs.errors import Violations
from libs.query import paging
from libs.query.fields import Field, by_bytes, compare
from libs.query.paging import Order
from libs.query.parser import Compare, FilterError, Group, Node, Not, parse
from libs.query.xp import MAX_PATH, XpPath, compare_xp
from waybill.type.v1 import reasons

DEFAULT_PAGE = 50
MAX_PAGE = 1_000
MAX_ORDERS = 8
"""Fields that one list is ordered by."""
_KEY = re.compile(r"[A-Za-z0-9_+\-]{1,100}\Z")
_ORDER_KINDS = {"micros": "int", "enum": "text"}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page and where the next one begins."""

    rows: list[Any]
    next_page_token: str


class Listing:
    """What a list of one resource can be asked for.

    `key` is the unique column that breaks ties; `xp` the JSON column behind fields named `xp.…`. Columns that are NOT
    NULL in their table must not come from the outer side of a join.
    """

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
        """Checks the arguments, all at once, and makes a plan of them. `bound` is what else the token belongs to.

        Raises INVALID with every violation: VALUE_OUT_OF_RANGE for `page_size`, FILTER_INVALID, ORDER_BY_INVALID,
        PAGE_TOKEN_INVALID.
        """
        found = Violations()
        found.require("page_size", page_size >= 0, reasons.VALUE_OUT_OF_RANGE, "must be zero or more")
        condition = self._filter(found, dialect, filter)
        orders = self._orders(found, dialect, order_by.strip() or self._default)
        bound_to = paging.digest(filter, order_by, bound or {})
        after: list[Any] | None = None
        if page_token and orders:
            try:
                after = paging.read_token(page_token, bound_to, orders)
            except ValueError as error:
                found.add("page_token", reasons.PAGE_TOKEN_INVALID, str(error))
        found.raise_if_any()
        return Plan(condition, orders, min(page_size or DEFAULT_PAGE, MAX_PAGE), after, bound_to)

    def _filter(self, found: Violations, dialect: str, text: str) -> sa.ColumnElement[bool] | None:
        try:
            node = parse(text)
            return None if node is None else self._condition(dialect, node)
        except FilterError as error:
            found.add("filter", reasons.FILTER_INVALID, f"the filter is not understood: {error}")
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
            return compare_xp(dialect, self._xp, node)
        field = self._fields.get(node.field)
        if field is None:
            raise FilterError(f"there is no field {node.field[:100]!r} to filter by, at character {node.at}")
        return compare(dialect, field, node)

    def _orders(self, found: Violations, dialect: str, text: str) -> list[Order]:
        """The orders with the key as the last one; empty when something is wrong."""
        orders: list[Order] = []
        parts = text.split(",")
        if len(parts) > MAX_ORDERS:
            found.add("order_by", reasons.ORDER_BY_INVALID, f"names more than {MAX_ORDERS} fields")
            return []
        for number, part in enumerate(parts, 1):
            words = part.split()
            if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
                what = f"item {number}, {part.strip()[:100]!r}, is not `field`, `field asc` or `field desc`"
                found.add("order_by", reasons.ORDER_BY_INVALID, what)
                return []
            descending = words[-1].lower() == "desc" and len(words) == 2
            by = self._order(dialect, words[0], descending, len(orders))
            if not by:
                what = f"there is no field {words[0][:100]!r} to order by, at item {number}"
                found.add("order_by", reasons.ORDER_BY_INVALID, what)
                return []
            orders += by
        return [*orders, Order(self._key, "okey", _kind_of(self._key), orders[-1].descending, False)]

    def _order(self, dialect: str, name: str, descending: bool, at: int) -> list[Order]:
        field = self._fields.get(name)
        if field is not None:
            kind = _ORDER_KINDS.get(field.kind, field.kind)
            if field.kind == "enum":
                kind = _kind_of(field.column)
            column = by_bytes(dialect, field.column) if kind == "text" else field.column
            return [Order(column, f"o{at}", kind, descending, field.nullable)]
        root, *path = name.split(".")
        if root != "xp" or self._xp is None or not path or len(path) > MAX_PATH or not all(_KEY.match(key) for key in path):
            return []
        # Numbers come before texts; each is missing where the other stands.
        found = XpPath(dialect, self._xp, path)
        return [
            Order(found.number, f"o{at}", "number", descending, True),
            Order(found.text, f"o{at + 1}", "text", descending, True),
        ]


def _kind_of(column: sa.ColumnElement[Any]) -> str:
    return {int: "int", uuid.UUID: "uuid"}.get(column.type.python_type, "text")


class Plan:
    """A checked list request."""

    def __init__(
        self, condition: sa.ColumnElement[bool] | None, orders: Sequence[Order], size: int, after: list[Any] | None, bound_to: str
    ) -> None:
        self._condition = condition
        self._orders = orders
        self._size = size
        self._after = after
        self._bound_to = bound_to

    def apply(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """The statement with filter, order, keyset and limit. Its rows gain columns that `page` reads."""
        if self._condition is not None:
            select = select.where(self._condition)
        if self._after is not None:
            select = select.where(paging.beyond(self._orders, self._after))
        select = select.add_columns(*(order.expression.label(order.label) for order in self._orders))
        return select.order_by(*(order.sorted() for order in self._orders)).limit(self._size + 1)

    def page(self, rows: Sequence[Any], most: int | None = None) -> Page:
        """Cuts the extra row off, and what is beyond the first `most` (1 or more); makes the token of the next page."""
        size = self._size if most is None else min(most, self._size)
        if len(rows) <= size:
            return Page(list(rows), "")
        kept = list(rows[:size])
        return Page(kept, paging.write_token(self._bound_to, self._orders, kept[-1]))
