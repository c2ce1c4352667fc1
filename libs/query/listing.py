"""Turns filter, order_by and page token into conditions on one table, the same on both databases."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.errors import Violations
from libs.query import paging
from libs.query.fields import Field, by_bytes, compare
from libs.query.paging import Order
from libs.query.parser import Compare, FilterError, Group, Node, Not, parse
from libs.query.request import DEFAULT_PAGE, MAX_PAGE, MAX_SKIP, Page, PageRequest
from libs.query.xp import MAX_PATH, XpPath, compare_xp
from waybill.type.v1 import reasons

DEFAULT_ORDER = "create_time desc"
MAX_ORDERS = 8
"""Fields that one list is ordered by."""
Fitting = Callable[[Sequence[Any]], Awaitable[int]]
_KEY = re.compile(r"[A-Za-z0-9_+\-]{1,100}\Z")
_ORDER_KINDS = {"micros": "int", "enum": "text"}


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
        default_order: str = DEFAULT_ORDER,
        xp: sa.ColumnElement[Any] | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._key = key
        self._name = str(key)
        self._default = default_order
        self._xp = xp

    def plan(self, dialect: str, request: PageRequest, bound: Mapping[str, str] | None = None) -> Plan:
        """Checks the arguments, all at once, and makes a plan of them. `bound` is what else the token belongs to.

        Raises INVALID with every violation: VALUE_OUT_OF_RANGE for `page_size` and `skip`, FILTER_INVALID, ORDER_BY_INVALID,
        PAGE_TOKEN_INVALID.
        """
        found = Violations()
        found.require("page_size", request.page_size >= 0, reasons.VALUE_OUT_OF_RANGE, "must be zero or more")
        found.require("skip", 0 <= request.skip <= MAX_SKIP, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_SKIP:,}")
        condition = self._filter(found, dialect, request.filter)
        orders = self._orders(found, dialect, request.order_by.strip() or self._default)
        bound_to = paging.digest(request.filter, request.order_by, {**(bound or {}), "list": self._name})
        after: list[Any] | None = None
        if request.page_token and orders:
            try:
                after = paging.read_token(request.page_token, bound_to, orders)
            except ValueError as error:
                found.add("page_token", reasons.PAGE_TOKEN_INVALID, str(error))
        found.raise_if_any()
        return Plan(condition, orders, after, bound_to, request)

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
        self,
        condition: sa.ColumnElement[bool] | None,
        orders: Sequence[Order],
        after: list[Any] | None,
        bound_to: str,
        request: PageRequest,
    ) -> None:
        self._condition = condition
        self._orders = orders
        self.after = after
        """Where the page begins: the values of its orders in the row before; None for the first page."""
        self._bound_to = bound_to
        self._size = min(request.page_size or DEFAULT_PAGE, MAX_PAGE)
        self._skip = request.skip
        self.counts = request.include_total
        """Whether the rows of the whole list are counted: then page and number are read in one snapshot."""

    async def read(self, tx: Tx, select: sa.Select[Any], fitting: Fitting | None = None) -> Page[Any]:
        """The page of this statement, with the number of all its rows where that was asked for.

        `fitting` says how many of the first rows go on one page; all unless given. The transaction has to see one moment
        where the plan counts.
        """
        rows = (await tx.execute(self.apply(select))).all()
        most = None if fitting is None else await fitting(rows)
        total = int((await tx.execute(self.counting(select))).scalar_one()) if self.counts else None
        return self.page(rows, most, total)

    def counting(self, select: sa.Select[Any], rest: bool = False) -> sa.Select[Any]:
        """The statement that counts what the filter keeps, wherever a page begins; with `rest` only from there on."""
        return (self._rest(select) if rest else self.kept(select)).with_only_columns(sa.func.count(), maintain_column_froms=True)

    async def count_by(self, tx: Tx, select: sa.Select[Any], column: sa.ColumnElement[Any]) -> dict[Any, int]:
        """How many rows the filter keeps, by the values of one column, in one statement; what does not occur is absent."""
        counts: sa.Select[Any] = (
            self.kept(select).with_only_columns(column, sa.func.count(), maintain_column_froms=True).group_by(column)
        )
        rows: Sequence[Any] = (await tx.execute(counts)).all()
        return {value: int(number) for value, number in rows}

    def kept(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """Of these rows those that the filter keeps, wherever the page begins."""
        return select if self._condition is None else select.where(self._condition)

    def _rest(self, select: sa.Select[Any]) -> sa.Select[Any]:
        kept = self.kept(select)
        return kept if self.after is None else kept.where(paging.beyond(self._orders, self.after))

    def apply(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """The statement with filter, order, keyset, offset and limit. Its rows gain columns that `page` reads."""
        select = self._rest(select)
        select = select.add_columns(*(order.expression.label(order.label) for order in self._orders))
        select = select.order_by(*(order.sorted() for order in self._orders)).limit(self._size + 1)
        return select.offset(self._skip) if self._skip else select

    def page(self, rows: Sequence[Any], most: int | None = None, total: int | None = None) -> Page[Any]:
        """Cuts the extra row off, and what is beyond the first `most` (1 or more); makes the token of the next page."""
        size = self._size if most is None else min(most, self._size)
        if len(rows) <= size:
            return Page(list(rows), "", total)
        kept = list(rows[:size])
        return Page(kept, paging.write_token(self._bound_to, self._orders, kept[-1]), total)
