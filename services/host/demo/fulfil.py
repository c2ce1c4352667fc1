"""What suppliers do with PO9123, and who sees what of it."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.host.demo.checkout import ORDER
from services.host.demo.narrator import Narrator
from services.host.sample.parties import People
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2, supplier_order_service_pb2
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError, text

DIRECTIONS = ("INCOMING", "OUTGOING", "ALL")


def direction(name: str) -> order_pb2.Direction.ValueType:
    """A direction by its name."""
    return order_pb2.Direction.Value(f"DIRECTION_{name}")


async def views(people: People) -> list[dict[str, Any]]:
    """What every party gets when it lists orders in every direction."""
    readers: list[tuple[str, AsyncWaybill]] = [
        ("ada, who ordered", people.ada),
        ("bob, a colleague", people.bob),
        ("gil, another buyer", people.gil),
        ("sam, the seller", people.sam),
        *((f"clerk of {s}", c) for s, c in people.clerks.items()),
    ]
    seen: list[dict[str, Any]] = []
    for name, client in readers:
        row: dict[str, Any] = {"who": name}
        for which in DIRECTIONS:
            answer = await client.orders.ListOrders(
                order_service_pb2.ListOrdersRequest(direction=direction(which), order_by="id")
            )
            row[which.lower()] = [o.id for o in answer.orders]
        try:
            await client.orders.GetOrder(order_service_pb2.GetOrderRequest(order_id=ORDER, direction=direction("ALL")))
            row["reads"] = True
        except WaybillError as error:
            row["reads"] = False
            row["refused"] = error.reason
        seen.append(row)
    return seen


async def fulfil(people: People, narrator: Narrator) -> list[dict[str, Any]]:
    """Every supplier accepts and ships, Northforge and Warehouse West in parts."""
    shipped: list[dict[str, Any]] = []
    for supplier, clerk in people.clerks.items():
        page = await clerk.supplier_orders.ListSupplierOrders(supplier_order_service_pb2.ListSupplierOrdersRequest())
        (mine,) = page.supplier_orders
        await clerk.supplier_orders.AcceptSupplierOrder(
            supplier_order_service_pb2.AcceptSupplierOrderRequest(supplier_order_id=mine.id)
        )
        narrator.line(f"supplier {supplier}", f"accepts {mine.id}, {text(mine.total)}")
        for number, items in enumerate(_parcels(supplier, mine), start=1):
            shipment = await _ship(clerk, mine.id, f"{mine.id}-parcel-{number}", items)
            units = " ".join(f"{i.line_item_id}x{i.quantity}" for i in shipment.items)
            shipped.append({"id": shipment.id, "supplier_order": mine.id, "units": units, "tracking": shipment.tracking_number})
            order = await people.ada.orders.GetOrder(
                order_service_pb2.GetOrderRequest(order_id=ORDER, direction=direction("OUTGOING"), include_line_items=True)
            )
            left = sum(line.quantity_open for line in order.line_items)
            narrator.line(f"supplier {supplier}", f"ships {units}; the buyer's order has {left} open units")
    return shipped


def _parcels(supplier: str, mine: Any) -> list[list[tuple[str, int]]]:
    """Units by parcel: two suppliers ship in parts."""
    lines = [(line.line_item_id, int(line.quantity)) for line in mine.line_items]
    if supplier == "northforge":
        (first, units), *rest = lines
        return [[(first, units - 1)], [(first, 1), *rest]]
    if supplier == "wh-west":
        return [[line] for line in lines]
    return [lines]


async def _ship(clerk: AsyncWaybill, supplier_order_id: str, id: str, items: list[tuple[str, int]]) -> shipment_pb2.Shipment:
    now = Timestamp()
    now.GetCurrentTime()
    answer = await clerk.shipments.CreateShipment(
        shipment_service_pb2.CreateShipmentRequest(
            shipment=shipment_pb2.Shipment(
                id=id,
                carrier="swift",
                tracking_number=f"SW-{id[-10:].upper()}",
                ship_time=now,
                items=[
                    shipment_pb2.ShipmentItem(supplier_order_id=supplier_order_id, line_item_id=line, quantity=quantity)
                    for line, quantity in items
                ],
            ),
            request_id=f"demo-{id}",
        )
    )
    made: shipment_pb2.Shipment = answer.shipment
    return made
