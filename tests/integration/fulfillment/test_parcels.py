"""Parcels that have not left: changed, emptied, deleted, void."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from tests.integration.fulfillment.world import HOME, World, line, status
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import shipment_pb2 as shp
from waybill.fulfillment.v1 import shipment_service_pb2 as svc
from waybill.type.v1.address_pb2 import Address


async def two_orders(world: World) -> tuple[str, Any]:
    """The key of the first, and a parcel with units of both."""
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=3))
    await world.placed("PO2", line(quantity=2))
    return key, await world.ship(id="box", items=[("PO1-1", "l1", 2), ("PO2-1", "l1", 1)], at=None)


def items(*wanted: tuple[str, int]) -> list[Any]:
    return [shp.ShipmentItem(supplier_order_id=id, line_item_id="l1", quantity=n) for id, n in wanted]


def held(shipment: Any) -> list[tuple[str, int]]:
    return [(i.supplier_order_id, i.quantity) for i in shipment.items]


async def packed(world: World, *ids: str) -> list[int]:
    return [(await world.supplier_order(id)).line_items[0].quantity_packed for id in ids]


async def remove(world: World, *wanted: tuple[str, int], **values: Any) -> Any:
    request = svc.RemoveShipmentItemsRequest(shipment_id="box", items=items(*wanted), **values)
    return (await world.shipments().RemoveShipmentItems(request)).shipment


async def test_units_are_taken_out_of_a_parcel_and_put_into_it(world: World) -> None:
    await two_orders(world)
    for _ in range(2):
        rest = await remove(world, ("PO1-1", 1), ("PO2-1", 1), request_id="r1")
        assert (held(rest), rest.version) == ([("PO1-1", 1)], 2)
    assert await packed(world, "PO1-1", "PO2-1") == [1, 0]
    # The order that the parcel holds nothing of any more gets a report of that.
    assert held(world.orders.shipments["box"]) == [("PO1-1", 1), ("PO2-1", 0)]
    await world.check()
    added = await world.shipments().AddShipmentItems(
        svc.AddShipmentItemsRequest(shipment_id="box", items=items(("PO2-1", 2)), etag="2")
    )
    assert held(added.shipment) == [("PO1-1", 1), ("PO2-1", 2)]
    for wanted, reason in (("PO1-1", 2), "VALUE_OUT_OF_RANGE"), (("PO9-1", 1), "SHIPMENT_LINE_NOT_FOUND"):
        with pytest.raises(WaybillError) as refused:
            await remove(world, wanted)
        assert refused.value.reason == reason
    with pytest.raises(WaybillError) as whole:
        await remove(world, ("PO1-1", 1), ("PO2-1", 2))
    assert whole.value.reason == "FIELD_INVALID"
    await world.send("box")
    assert status(await world.supplier_order("PO2-1")) == "COMPLETED"
    with pytest.raises(WaybillError) as late:
        await remove(world, ("PO1-1", 1))
    assert late.value.reason == "SHIPMENT_ALREADY_SHIPPED"


async def test_a_parcel_is_deleted_before_it_leaves(world: World) -> None:
    await two_orders(world)
    for _ in range(2):
        await world.shipments().DeleteShipment(svc.DeleteShipmentRequest(shipment_id="box", request_id="r1"))
    assert await packed(world, "PO1-1", "PO2-1") == [0, 0]
    assert held(world.orders.shipments["box"]) == [("PO1-1", 0), ("PO2-1", 0)]
    assert not (await world.shipments().ListShipments(svc.ListShipmentsRequest())).shipments
    with pytest.raises(WaybillError) as gone:
        await world.shipments().GetShipment(svc.GetShipmentRequest(shipment_id="box"))
    assert gone.value.reason == "RESOURCE_NOT_FOUND"
    with pytest.raises(WaybillError) as taken:
        await world.ship(id="box", items=[("PO1-1", "l1", 1)])
    assert taken.value.reason == "RESOURCE_EXISTS"
    sent = await world.ship(items=[("PO1-1", "l1", 3)])
    with pytest.raises(WaybillError) as late:
        await world.shipments().DeleteShipment(svc.DeleteShipmentRequest(shipment_id=sent.id))
    assert late.value.reason == "SHIPMENT_ALREADY_SHIPPED"


async def test_a_parcel_of_a_canceled_order_is_void_and_a_shared_one_goes_without_its_units(world: World) -> None:
    key, _ = await two_orders(world)
    await world.ship(id="own", items=[("PO1-1", "l1", 1)], at=None)
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    with pytest.raises(WaybillError) as frozen:
        await remove(world, ("PO1-1", 1))
    assert frozen.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))
    own = (await world.shipments().GetShipment(svc.GetShipmentRequest(shipment_id="own"))).shipment
    assert (held(own), own.HasField("void_time")) == ([("PO1-1", 1)], True)
    void = await world.shipments().ListShipments(svc.ListShipmentsRequest(filter='void_time > "2000-01-01T00:00:00Z"'))
    assert [s.id for s in void.shipments] == ["own"]
    assert held(await world.send("box")) == [("PO2-1", 1)]
    await world.shipments().DeleteShipment(svc.DeleteShipmentRequest(shipment_id="own"))


async def test_addresses_and_the_suppliers_number_change_before_it_leaves(world: World) -> None:
    await two_orders(world)
    there = Address(lines=["2 Side St"], city="Shelbyville", country="US")
    new = shp.Shipment(id="box", supplier_number="LS 2030/17", ship_from_id="dock", ship_to=there)
    made = (await world.shipments().UpdateShipment(svc.UpdateShipmentRequest(shipment=new))).shipment
    assert (made.supplier_number, made.ship_from_id, made.ship_to.city) == ("LS 2030/17", "dock", "Shelbyville")
    found = await world.shipments().ListShipments(svc.ListShipmentsRequest(filter='supplier_number = "LS 2030/17"'))
    assert [s.id for s in found.shipments] == ["box"]
    await world.send("box")
    with pytest.raises(WaybillError) as late:
        await world.shipments().UpdateShipment(svc.UpdateShipmentRequest(shipment=shp.Shipment(id="box", ship_to=HOME)))
    assert late.value.reason == "SHIPMENT_ALREADY_SHIPPED"
