"""ShipOrder: all that is open of one supplier order leaves on one shipment."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from tests.integration.fulfillment.test_deliveries import count
from tests.integration.fulfillment.world import START, World, line, new_key, status
from tests.support.principals import supplier
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import shipment_pb2 as shp
from waybill.fulfillment.v1 import shipment_service_pb2 as svc


async def ship_order(world: World, id: str, caller: Any = None, request_id: str = "", **values: Any) -> Any:
    request = svc.ShipOrderRequest(supplier_order_id=id, shipment=shp.Shipment(**values), request_id=request_id)
    return (await world.shipments(caller).ShipOrder(request)).shipment


async def two_lines(world: World) -> str:
    """The key of an order of three drills and two saws that one supplier has."""
    await world.stock(("a", "drill", "bolt", 9), ("b", "saw", "bolt", 9))
    key, _ = await world.placed(
        "PO1", line("l1", 3, default_supplier_id="bolt"), line("l2", 2, "saw", default_supplier_id="bolt")
    )
    return key


async def refused(world: World, id: str = "PO1-1", caller: Any = None, **values: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await ship_order(world, id, caller, **values)
    return error.value


async def test_a_supplier_ships_all_that_is_open_of_its_order_at_once(world: World) -> None:
    await two_lines(world)
    await world.ship(items=[("PO1-1", "l1", 1)])
    clerk = supplier()
    for _ in range(2):
        sent = await ship_order(
            world, "PO1-1", clerk, request_id="r1", carrier="swift", tracking_number="T1", supplier_number="LS 7"
        )
        assert [(i.line_item_id, i.quantity) for i in sent.items] == [("l1", 2), ("l2", 2)]
        assert (sent.carrier, sent.tracking_number, sent.supplier_number) == ("swift", "T1", "LS 7")
        assert sent.ship_time.ToDatetime(tzinfo=START.tzinfo) == START
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"
    assert await world.counters("a") == (6, 0, 0, 6)
    assert (await refused(world)).reason == "NOTHING_OPEN"


async def test_every_line_that_is_packed_elsewhere_is_named(world: World) -> None:
    await two_lines(world)
    await world.ship(id="box", items=[("PO1-1", "l1", 1), ("PO1-1", "l2", 2)], at=None)
    error = await refused(world)
    assert (error.reason, error.metadata) == (
        "LINE_ON_OTHER_SHIPMENT",
        {"supplier_order": "PO1-1", "line_item": "l1", "packed": "1"},
    )
    assert len(error.rules) == 2
    await world.shipments().DeleteShipment(svc.DeleteShipmentRequest(shipment_id="box"))
    assert len((await ship_order(world, "PO1-1")).items) == 2


async def test_what_is_held_frozen_or_not_there_stands_against_it(world: World) -> None:
    key = await two_lines(world)
    await world.reservations().SetOrderHold(res.SetOrderHoldRequest(order_key=key, held=True, version=2))
    assert (await refused(world)).reason == "SUPPLIER_ORDER_HELD"
    await world.reservations().SetOrderHold(res.SetOrderHoldRequest(order_key=key, held=False, version=3))
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    assert (await refused(world)).reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=key))
    for id, caller in ("PO9-1", None), ("PO1-1", supplier(party="nut")):
        assert (await refused(world, id, caller)).reason == "RESOURCE_NOT_FOUND"
    item = shp.ShipmentItem(supplier_order_id="PO1-1", line_item_id="l1", quantity=1)
    assert (await refused(world, items=[item])).metadata == {"field": "shipment.items"}
    await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))
    assert (await refused(world)).reason == "SUPPLIER_ORDER_STATUS_CONFLICT"


async def test_units_that_need_no_shipment_are_left_to_be_delivered(world: World) -> None:
    await world.stock(("a", "drill", "", 9), ("k", "key", "", 1))
    lines = line("l1", 2), line("l2", 1, "key", shippable=False)
    key = new_key()
    await world.reserve(key, *lines)
    await count(world, 0)
    await world.confirm(key, "PO1", *lines)
    assert [(i.line_item_id, i.quantity) for i in (await ship_order(world, "PO1-1")).items] == [("l1", 2)]
    assert status(await world.supplier_order("PO1-1")) == "ACCEPTED"
    assert (await refused(world)).reason == "NOTHING_OPEN"
    await count(world, 1)
    await world.background.deliveries.once()
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"
