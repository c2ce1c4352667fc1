"""Puts historic orders through the real calls: the seller's employees order for the buyers, at the historic amounts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from services.host.northwind.files import Line, Northwind, Row, country, product_id
from services.host.northwind.setup import CHANNEL, CURRENCY, card_id, xp
from services.host.remote.servers import Servers
from waybill.directory.v1 import user_service_pb2
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2, reasons
from waybill.payment.v1 import payment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party
from waybill_client import AsyncWaybill, WaybillError, money

CONCURRENCY = 8
ATTEMPTS = 3
"""How often an order is submitted whose attempts are not decided in time."""
LOOK = 0.2
"""Seconds between two looks at a submission that is not finished."""


async def employees(owner: AsyncWaybill, servers: Servers, data: Northwind) -> dict[str, AsyncWaybill]:
    """Every employee, signed in with a password of this run."""
    clients: dict[str, AsyncWaybill] = {}
    for employee in data.employees:
        id = f"employee-{employee['employee_id']}"
        password = secrets.token_urlsafe(16)
        await owner.users.UpdateUser(
            user_service_pb2.UpdateUserRequest(
                user=user_service_pb2.User(id=id, active=True, password=password),
                update_mask=FieldMask(paths=["active", "password"]),
            )
        )
        clients[employee["employee_id"]] = AsyncWaybill(
            servers.default, CHANNEL, username=id, password=password, addresses=servers.contexts
        )
    return clients


def remaining(orders: Sequence[Row], there: Iterable[order_pb2.Order]) -> list[Row]:
    """The historic orders that are not yet where history left them."""
    found = {order.id: order for order in there}

    def settled(row: Row) -> bool:
        order = found.get(row["order_id"])
        if order is None:
            return False
        forwarded = order.status == order_pb2.ORDER_STATUS_OPEN and order.HasField("forward_time")
        return order.status == order_pb2.ORDER_STATUS_COMPLETED or (forwarded and not row["shipped_date"])

    return [row for row in orders if not settled(row)]


async def replay(
    clients: dict[str, AsyncWaybill],
    data: Northwind,
    orders: Sequence[Row],
    done: Callable[[], None],
    forward: bool = True,
    by_card: bool = False,
) -> None:
    """All orders, several at a time; `done` is called after each."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(order: Row) -> None:
        async with gate:
            await replay_order(clients[order["employee_id"]], order, data.lines[order["order_id"]], forward, by_card)
        done()

    async with asyncio.TaskGroup() as group:
        for order in orders:
            group.create_task(one(order))


async def replay_order(
    seller: AsyncWaybill, row: Row, lines: Sequence[Line], forward: bool = True, by_card: bool = False
) -> None:
    """One order from creation to where history left it. Every step can be repeated."""
    id = row["order_id"]
    await seller.orders.CreateOrder(
        order_service_pb2.CreateOrderRequest(
            order=_order(row), line_items=[_line(line) for line in lines], request_id=f"northwind-{id}-create"
        )
    )
    await seller.checkout.CalculateOrder(
        checkout_service_pb2.CalculateOrderRequest(order_id=id, request_id=f"northwind-{id}-calculate")
    )
    await seller.checkout.AddPayments(
        checkout_service_pb2.AddPaymentsRequest(order_id=id, payments=[_payment(row, by_card)], request_id=f"northwind-{id}-pay")
    )
    await _submit(seller, id)
    if forward:
        await seller.orders.ForwardOrder(order_service_pb2.ForwardOrderRequest(order_id=id, request_id=f"northwind-{id}-forward"))
    if row["shipped_date"]:
        await _ship(seller, row)


def _payment(row: Row, by_card: bool) -> payment_pb2.Payment:
    id = row["order_id"]
    if by_card:
        return payment_pb2.Payment(id=f"cc-{id}", type="credit_card", credit_card_id=card_id(row["customer_id"]))
    return payment_pb2.Payment(id=f"po-{id}", type="purchase_order", purchase_order_number=id)


def _order(row: Row) -> order_pb2.Order:
    return order_pb2.Order(
        id=row["order_id"],
        from_party=Party(kind=PARTY_KIND_BUYER, id=row["customer_id"]),
        from_user=order_pb2.OrderUser(id=f"user-{row['customer_id']}"),
        currency=CURRENCY,
        shipping_cost_override=money(row["freight"], CURRENCY),
        shipping_address=Address(
            recipient=row["ship_name"],
            lines=[row["ship_address"]],
            city=row["ship_city"],
            region=row["ship_region"],
            postal_code=row["ship_postal_code"],
            country=country(row["ship_country"]),
        ),
        xp=xp(
            order_date=row["order_date"],
            required_date=row["required_date"],
            shipped_date=row["shipped_date"],
            shipper=f"shipper-{row['ship_via']}",
        ),
    )


def _line(line: Line) -> line_item_pb2.LineItem:
    return line_item_pb2.LineItem(
        product_id=product_id(line.product_id),
        quantity=line.quantity,
        unit_price_override=money(line.unit_price, CURRENCY),
        discount_override=money(line.discount, CURRENCY),
    )


async def _submit(seller: AsyncWaybill, id: str) -> None:
    """Submits, and waits until the suppliers' side is settled too.

    An attempt whose run was interrupted may be found undecided past its deadline, and refused for that: another is made.
    """
    for attempt in range(1, ATTEMPTS + 1):
        request = checkout_service_pb2.SubmitOrderRequest(order_id=id, request_id=f"northwind-{id}-submit-{attempt}")
        try:
            order = (await seller.checkout.SubmitOrder(request)).order
        except WaybillError as refused:
            if attempt == ATTEMPTS or {rule.reason for rule in refused.rules} != {reasons.SUBMIT_TIMED_OUT}:
                raise
            continue
        while not order.submission.finished:
            await asyncio.sleep(LOOK)
            look = order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_INCOMING)
            order = (await seller.orders.GetOrder(look)).order
        if order.is_submitted:
            return


async def _ship(seller: AsyncWaybill, row: Row) -> None:
    """Everything at once, one shipment per supplier order."""
    id = row["order_id"]
    tree = await seller.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
    if tree.order.status == order_pb2.ORDER_STATUS_COMPLETED:
        return
    # Goods leave when the suppliers get their orders: unlike a clock's, this time is the same when the request is repeated.
    ship_time = tree.order.forward_time if tree.order.HasField("forward_time") else tree.order.submit_time
    shipments = [
        shipment_pb2.Shipment(
            id=f"{s.id}-shipment",
            carrier=f"shipper-{row['ship_via']}",
            ship_time=ship_time,
            xp=xp(shipped_date=row["shipped_date"]),
            items=[
                shipment_pb2.ShipmentItem(supplier_order_id=s.id, line_item_id=line.line_item_id, quantity=line.quantity)
                for line in s.line_items
            ],
        )
        for s in tree.supplier_orders
        if s.line_items
    ]
    await seller.shipments.BatchCreateShipments(
        shipment_service_pb2.BatchCreateShipmentsRequest(shipments=shipments, request_id=f"northwind-{id}-ship")
    )
