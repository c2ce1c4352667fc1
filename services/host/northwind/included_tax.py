"""Northwind with every price declared to include its tax: what of each line is tax, beside what the files make it.

The files are worked out with fractions here and share no code with the marketplace's own calculation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.host.northwind.files import Line, Northwind, Row, product_id
from waybill.order.v1 import line_item_service_pb2, order_pb2
from waybill_client import AsyncWaybill
from waybill_client.money import decimal

RATE = Decimal("0.19")
"""What the prices are declared to include."""
PAGE = 1_000
_Place = tuple[str, str]
"""An order and a product, which it has one line of."""


@dataclass(frozen=True, slots=True)
class IncludedTax:
    """The lines that were compared, the tax that they include by the files, and what is wrong of the marketplace's."""

    lines: int
    total: Decimal
    differences: tuple[str, ...]


def included(line: Line) -> Decimal:
    """What of a line's price less discount is tax: rounded half up to cents."""
    net = (Fraction(line.unit_price) * line.quantity - Fraction(line.discount)) * 100
    tax = net - net / (1 + Fraction(RATE))
    return Decimal((tax + Fraction(1, 2)).__floor__()) / 100


def expected(data: Northwind, orders: Sequence[Row]) -> Mapping[_Place, Decimal]:
    """What of each line is tax, from the files alone."""
    return {(o["order_id"], product_id(x.product_id)): included(x) for o in orders for x in data.lines[o["order_id"]]}


async def compared(owner: AsyncWaybill, data: Northwind, orders: Sequence[Row]) -> IncludedTax:
    """Every line of the marketplace beside what the files make it."""
    left = dict(expected(data, orders))
    count, total = len(left), sum(left.values(), Decimal(0))
    wrong: list[str] = []
    token = ""
    while True:
        page = await owner.line_items.ListLineItemsAcrossOrders(
            line_item_service_pb2.ListLineItemsAcrossOrdersRequest(
                direction=order_pb2.DIRECTION_INCOMING, page_size=PAGE, page_token=token
            )
        )
        for found in page.line_items:
            place, line = (found.order_id, found.line_item.product_id), found.line_item
            mine, theirs = left.pop(place, None), decimal(line.included_tax)
            if not line.tax_included or decimal(line.tax) or theirs != mine:
                wrong.append(
                    f"order {place[0]}, {place[1]}: {theirs} is tax, and {decimal(line.tax)} on top; by the files {mine}"
                )
        token = page.next_page_token
        if not token:
            return IncludedTax(count, total, (*wrong, *(f"order {o}, {p}: there is no such line" for o, p in left)))
