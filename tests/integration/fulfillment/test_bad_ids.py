"""Ids that no id can be: callers hear that there is no such thing, or which field is wrong; never an internal error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from libs.errors import Kind, WaybillError
from tests.integration.fulfillment.world import START, World, line, shipment
from tests.support.principals import seller
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as inv_svc
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as order_pb
from waybill.fulfillment.v1 import shipment_pb2 as shp
from waybill.fulfillment.v1 import shipment_service_pb2 as shp_svc
from waybill.fulfillment.v1 import supplier_order_pb2 as so
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_svc
from waybill.fulfillment.v1.order_fulfillment_service_pb2_grpc import OrderFulfillmentServiceStub

IDS = ("a\0b", "a\x07b", "a b", "ü", "x" * 300)
Call = Callable[[World, str], Awaitable[Any]]


def new_record(**values: Any) -> inv.InventoryRecord:
    return inv.InventoryRecord(**{"product_id": "drill", "location_id": "dock", **values})


def drafted(field: str) -> Call:
    request = inv_svc.CreateInventoryRecordRequest
    return lambda w, id: w.inventory().CreateInventoryRecord(request(inventory_record=new_record(**{field: id})))


def batch_drafted(field: str) -> Call:
    def call(w: World, id: str) -> Awaitable[Any]:
        new = inv_svc.NewInventoryRecord(inventory_record=new_record(**{field: id}))
        return w.inventory().BatchCreateInventoryRecords(inv_svc.BatchCreateInventoryRecordsRequest(inventory_records=[new]))

    return call


def shipped(batch: bool = False, **fields: str) -> Call:
    """A shipment in which the named fields of its one item, or its own, are the id."""

    def call(w: World, id: str) -> Awaitable[Any]:
        item = {"supplier_order_id": "PO1-1", "line_item_id": "l1", "quantity": 1}
        item |= dict.fromkeys((name for name, of in fields.items() if of == "item"), id)
        own = dict.fromkeys((name for name, of in fields.items() if of == "shipment"), id)
        made = shp.Shipment(items=[shp.ShipmentItem(**item)], **own)
        if batch:
            return w.shipments().BatchCreateShipments(shp_svc.BatchCreateShipmentsRequest(shipments=[made]))
        return w.shipments().CreateShipment(shp_svc.CreateShipmentRequest(shipment=made))

    return call


MISSING: dict[str, Call] = {
    "GetSupplierOrder": lambda w, id: w.supplier_order(id),
    "AcceptSupplierOrder": lambda w, id: w.supplier_orders().AcceptSupplierOrder(
        so_svc.AcceptSupplierOrderRequest(supplier_order_id=id)
    ),
    "RejectSupplierOrder": lambda w, id: w.supplier_orders().RejectSupplierOrder(
        so_svc.RejectSupplierOrderRequest(supplier_order_id=id)
    ),
    "GetShipment": lambda w, id: w.shipments().GetShipment(shp_svc.GetShipmentRequest(shipment_id=id)),
    "GetInventoryRecord": lambda w, id: w.record(id),
}
NAMED: dict[str, tuple[Call, str]] = {
    "MoveSupplierOrderUnits": (
        lambda w, id: w.supplier_orders().MoveSupplierOrderUnits(
            so_svc.MoveSupplierOrderUnitsRequest(supplier_order_id=id, units=[so_svc.MovedUnits(line_item_id="l1", quantity=1)])
        ),
        "supplier_order_id",
    ),
    "UpdateSupplierOrder": (
        lambda w, id: w.supplier_orders().UpdateSupplierOrder(
            so_svc.UpdateSupplierOrderRequest(supplier_order=so.SupplierOrder(id=id))
        ),
        "supplier_order.id",
    ),
    "UpdateShipment": (
        lambda w, id: w.shipments().UpdateShipment(shp_svc.UpdateShipmentRequest(shipment=shp.Shipment(id=id))),
        "shipment.id",
    ),
    "UpdateInventoryRecord": (
        lambda w, id: w.inventory().UpdateInventoryRecord(
            inv_svc.UpdateInventoryRecordRequest(inventory_record=inv.InventoryRecord(id=id))
        ),
        "inventory_record.id",
    ),
    "AdjustStock": (
        lambda w, id: w.inventory().AdjustStock(
            inv_svc.AdjustStockRequest(
                adjustments=[inv_svc.StockAdjustment(inventory_record_id=id, kind=inv.STOCK_MOVEMENT_KIND_ADJUST, change=1)]
            )
        ),
        "adjustments[0].inventory_record_id",
    ),
    **{
        f"CreateInventoryRecord {field}": (drafted(field), f"inventory_record.{field}")
        for field in ("id", "product_id", "variant_id", "supplier_id", "location_id")
    },
    "BatchCreateInventoryRecords": (batch_drafted("product_id"), "inventory_records[0].inventory_record.product_id"),
    **{
        f"CreateShipment {field}": (shipped(**{field: "item"}), f"shipment.items[0].{field}")
        for field in ("supplier_order_id", "line_item_id", "inventory_record_id")
    },
    **{f"CreateShipment {field}": (shipped(**{field: "shipment"}), f"shipment.{field}") for field in ("id", "ship_from_id")},
    "BatchCreateShipments": (shipped(batch=True, supplier_order_id="item"), "shipments[0].items[0].supplier_order_id"),
}


@pytest.mark.parametrize("call", MISSING)
async def test_an_id_that_cannot_be_is_not_found(world: World, call: str) -> None:
    for id in IDS:
        with pytest.raises(WaybillError) as refused:
            await MISSING[call](world, id)
        assert (refused.value.kind, refused.value.reason) == (Kind.MISSING, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("call", NAMED)
async def test_a_write_names_the_field_of_an_id_that_cannot_be(world: World, call: str) -> None:
    work, field = NAMED[call]
    for id in IDS:
        with pytest.raises(WaybillError) as refused:
            await work(world, id)
        assert refused.value.kind is Kind.INVALID
        assert [(f.field, f.reason) for f in refused.value.fields] == [(field, "ID_INVALID")]


async def test_look_ups_of_many_find_nothing_of_ids_that_cannot_be(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line())
    await world.ship(items=[("PO1-1", "l1", 1)])
    refs = [inv_svc.ProductVariantRef(product_id="drill", variant_id=id) for id in (*IDS, "")]
    asked = inv_svc.CheckAvailabilityRequest(product_ids=[*IDS, "drill"], variants=refs)
    answer = await world.inventory().CheckAvailability(asked)
    assert [(p.product_id, p.variant_id, p.available) for p in answer.products] == [
        *((id, "", 0) for id in IDS),
        ("drill", "", 8),
        *(("drill", id, 0) for id in IDS),
        ("drill", "", 8),
    ]
    for id in IDS:
        page = await world.shipments().ListShipments(shp_svc.ListShipmentsRequest(order_id=id))
        assert list(page.shipments) == []
    orders = world.served.service_stub(OrderFulfillmentServiceStub, "order", seller())
    whole = await orders.BatchGetOrderFulfillment(order_pb.BatchGetOrderFulfillmentRequest(order_keys=[*IDS, key]))
    assert [o.id for o in whole.supplier_orders] == ["PO1-1"]


async def test_filters_by_ids_that_cannot_be_are_refused_or_match_nothing(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line())
    await world.ship(items=[("PO1-1", "l1", 1)])
    lists: list[tuple[Any, Any, str, str]] = [
        (world.supplier_orders().ListSupplierOrders, so_svc.ListSupplierOrdersRequest, "id", "supplier_orders"),
        (world.shipments().ListShipments, shp_svc.ListShipmentsRequest, "id", "shipments"),
        (world.inventory().ListInventoryRecords, inv_svc.ListInventoryRecordsRequest, "id", "inventory_records"),
        (world.inventory().ListStockMovements, inv_svc.ListStockMovementsRequest, "order_key", "stock_movements"),
        (world.inventory().ListStockAlerts, inv_svc.ListStockAlertsRequest, "inventory_record_id", "stock_alerts"),
    ]
    for call, request, field, items in lists:
        for id in IDS:
            try:
                assert list(getattr(await call(request(filter=f'{field} = "{id}"')), items)) == []
            except WaybillError as refused:
                assert (refused.kind, refused.reason) == (Kind.INVALID, "FILTER_INVALID")


async def test_a_long_order_id_makes_a_supplier_order_that_can_be_read_and_shipped(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    _, (made,) = await world.placed("P" * 100, line())
    assert (await world.supplier_order(made.id)).id == "P" * 100 + "-1"
    await world.supplier_orders().UpdateSupplierOrder(
        so_svc.UpdateSupplierOrderRequest(supplier_order=so.SupplierOrder(id=made.id))
    )
    await world.shipments().CreateShipment(shp_svc.CreateShipmentRequest(shipment=shipment(items=[(made.id, "l1", 1)], at=START)))
