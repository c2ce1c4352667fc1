"""What the marketplace itself says after a replay, beside what is known of the data."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.host.northwind.files import Northwind, Row
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill
from waybill_client.money import decimal

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals of a marketplace."""

    orders: int
    lines: int
    gross: Decimal
    discount: Decimal
    freight: Decimal
    total: Decimal
    supplier_orders: int
    completed: int
    open: int


KNOWN = Figures(
    orders=830,
    lines=2_155,
    gross=Decimal("1354458.59"),
    discount=Decimal("88665.83"),
    freight=Decimal("64942.69"),
    total=Decimal("1330735.45"),
    supplier_orders=2_076,
    completed=809,
    open=21,
)
"""The figures that the data's README states."""


def expected(data: Northwind, orders: list[Row]) -> Figures:
    """The same figures of some of the orders, from the files alone."""
    supplier_of = {p["product_id"]: p["supplier_id"] for p in data.products}
    lines = [line for order in orders for line in data.lines[order["order_id"]]]
    gross = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    discount = sum((line.discount for line in lines), Decimal(0))
    freight = sum((Decimal(order["freight"]) for order in orders), Decimal(0))
    shipped = sum(1 for order in orders if order["shipped_date"])
    suppliers = sum(len({supplier_of[x.product_id] for x in data.lines[o["order_id"]]}) for o in orders)
    return Figures(
        orders=len(orders),
        lines=len(lines),
        gross=gross,
        discount=discount,
        freight=freight,
        total=gross - discount + freight,
        supplier_orders=suppliers,
        completed=shipped,
        open=len(orders) - shipped,
    )


async def measured(owner: AsyncWaybill) -> Figures:
    """Read back by listing every order of the marketplace."""
    bought = await listed(owner, order_pb2.DIRECTION_INCOMING)
    supplied = await listed(owner, order_pb2.DIRECTION_OUTGOING)
    statuses = [order.status for order in bought]
    return Figures(
        orders=len(bought),
        lines=sum(order.line_item_count for order in bought),
        gross=sum((decimal(o.subtotal) for o in bought), Decimal(0)),
        discount=sum((decimal(o.discount) for o in bought), Decimal(0)),
        freight=sum((decimal(o.shipping_cost) for o in bought), Decimal(0)),
        total=sum((decimal(o.total) for o in bought), Decimal(0)),
        supplier_orders=len(supplied),
        completed=statuses.count(order_pb2.ORDER_STATUS_COMPLETED),
        open=statuses.count(order_pb2.ORDER_STATUS_OPEN),
    )


async def listed(owner: AsyncWaybill, direction: order_pb2.Direction.ValueType) -> list[order_pb2.Order]:
    """Every order that came through Northwind's client, by id."""
    found: list[order_pb2.Order] = []
    token = ""
    while True:
        page = await owner.orders.ListOrders(
            order_service_pb2.ListOrdersRequest(
                direction=direction, filter='client_id = "northwind"', order_by="id", page_size=PAGE, page_token=token
            )
        )
        found += page.orders
        token = page.next_page_token
        if not token:
            return found
