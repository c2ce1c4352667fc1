"""Lists of lines, of one order and across orders, and their sums."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import sqlalchemy as sa

from libs.db import Tx
from libs.query import Field, Listing, Page, PageRequest
from services.order.adapters.db.line_rows import line_of
from services.order.adapters.db.reading.visibility import condition
from services.order.adapters.db.tables import LINE_ITEMS, ORDERS
from services.order.application.records import LineSum, OrderLine
from services.order.domain.model import Line
from services.order.domain.reading.visibility import Direction, Scope
from services.order.domain.status import OrderStatus

L = LINE_ITEMS.c
O = ORDERS.c  # noqa: E741 - the columns, as everywhere in adapters
_TEXTS = (
    *("id", "product_id", "price_schedule_id", "shipping_address_id", "pickup_location_id", "inventory_record_id"),
    *("variant_id", "cost_center", "shipping_account"),
)
_FIELDS = {
    **{name: Field(L[name]) for name in _TEXTS},
    "product.default_supplier_id": Field(sa.type_coerce(L.product, sa.JSON())["default_supplier_id"].as_string()),
    **{name: Field(L[name], "int") for name in ("position", "quantity")},
    **{f"quantity_{name}": Field(L[f"quantity_{name}"], "int") for name in ("shipped", "canceled", "backordered")},
    **{name: Field(L[name], "micros") for name in ("unit_price", "line_mark_up", "subtotal", "discount", "tax")},
    "total": Field(sa.type_coerce(L.subtotal - L.discount + L.tax, sa.BigInteger()), "micros"),
    **{name: Field(L[name], "time") for name in ("date_needed", "expected_time", "create_time")},
}
_OF_ORDERS = {
    "order_id": Field(O.id),
    "order.status": Field(O.status, "enum", {s.value: s.value for s in OrderStatus}),
    **{f"order.{name}": Field(O[name]) for name in ("sub_status", "buyer_id", "user_id", "currency")},
    **{f"order.{name}": Field(O[name], "bool") for name in ("is_submitted", "held")},
    **{f"order.{name}": Field(O[name], "time") for name in ("create_time", "submit_time")},
}
_OF_ONE = Listing(_FIELDS, L.id, default_order="position", xp=L.xp)
_ACROSS = Listing({**_FIELDS, **_OF_ORDERS}, sa.cast(L.order_key, sa.String) + "/" + L.id, xp=L.xp)
_SUMMED = Listing(
    # The two together are unique: a currency has three letters.
    {**_FIELDS, **_OF_ORDERS},
    L.cost_center + "/" + O.currency,
    default_order="cost_center",
    xp=L.xp,
)
_SUMS = (
    sa.select(
        L.cost_center,
        O.currency,
        sa.func.count().label("lines"),
        *(
            sa.func.sum(sa.type_coerce(L[name], sa.BigInteger())).label(name)
            for name in ("quantity", "subtotal", "discount", "tax")
        ),
    )
    .join(ORDERS, O.key == L.order_key)
    .group_by(L.cost_center, O.currency)
)
_JOINED = sa.select(
    LINE_ITEMS, O.id.label("of_order"), O.currency.label("of_currency"), O.is_submitted.label("of_submitted")
).join(ORDERS, O.key == L.order_key)


class SqlLineLists:
    """One statement a page, whatever the number of lines and orders."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of_order(self, key: uuid.UUID, query: PageRequest) -> Page[Line]:
        """A page of one order's lines."""
        plan = _OF_ONE.plan(self._tx.dialect, query, {"order": str(key)})
        page = await plan.read(self._tx, sa.select(LINE_ITEMS).where(L.order_key == key))
        return page.map(lambda row: line_of(row._mapping))

    async def across(self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]) -> Page[OrderLine]:
        """A page of the lines of buyer orders that the scope lets see."""
        plan = _ACROSS.plan(self._tx.dialect, query, {**bound, "direction": direction.value})
        page = await plan.read(self._tx, _JOINED.where(condition(scope)))
        return page.map(lambda row: OrderLine(row.of_order, row.of_currency, row.of_submitted, line_of(row._mapping)))

    async def sums(self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]) -> Page[LineSum]:
        """What those lines come to, by cost center and currency. The filter is of lines, before they are summed."""
        plan = _SUMMED.plan(self._tx.dialect, query, {**bound, "direction": direction.value})
        page = await plan.read(self._tx, _SUMS.where(condition(scope)))
        return page.map(
            lambda row: LineSum(
                row.cost_center,
                row.currency,
                row.lines,
                *(int(number) for number in (row.quantity, row.subtotal, row.discount, row.tax)),
            )
        )
