"""Shipments: partial quantities over several lines and orders, who may ship and see what."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from google.type.money_pb2 import Money

from libs.errors import WaybillError
from libs.protoconv import time_out
from services import roles
from tests.integration.fulfillment.world import START, World, dollars, line, new_key, shipment, status
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as inv_service
from waybill.fulfillment.v1 import shipment_pb2 as shp
from waybill.fulfillment.v1 import shipment_service_pb2 as svc


async def test_parts_of_lines_of_two_orders_leave_together(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "bolt", 9))
    lines = [line("l1", 3, default_supplier_id="bolt"), line("l2", 2, "bit", default_supplier_id="bolt")]
    await world.placed("PO1", *lines)
    await world.placed("PO2", *lines)
    bolt = supplier()
    first = await world.ship(bolt, items=[("PO1-1", "l1", 2), ("PO1-1", "l2", 2), ("PO2-1", "l1", 3)], tracking_number="1Z")
    assert (first.supplier_id, first.buyer_id, first.ship_to.city) == ("bolt", "acme", "Springfield")
    assert [(i.order_id, i.product_id) for i in first.items] == [("PO1", "drill"), ("PO1", "bit"), ("PO2", "drill")]
    one, two = [await world.supplier_order(id, bolt) for id in ("PO1-1", "PO2-1")]
    assert (status(one), [x.quantity_shipped for x in one.line_items]) == ("ACCEPTED", [2, 2])
    assert [x.quantity_shipped for x in two.line_items] == [3, 0]
    assert await world.counters("a") == (4, 0, 1, 3)
    await world.ship(bolt, items=[("PO1-1", "l1", 1)])
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"
    assert {status(o) for o in world.orders.orders.values()} == {"ACCEPTED", "COMPLETED"}


async def test_units_count_as_shipped_once_there_is_a_ship_time(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line(quantity=3))
    packed = await world.ship(items=[("PO1-1", "l1", 2)], at=None)
    order = await world.supplier_order("PO1-1")
    assert (status(order), order.line_items[0].quantity_packed, order.line_items[0].quantity_shipped) == ("ACCEPTED", 2, 0)
    with pytest.raises(WaybillError) as refused:
        await world.ship(items=[("PO1-1", "l1", 2)])
    assert (refused.value.reason, refused.value.metadata["open"]) == ("SHIPMENT_EXCEEDS_OPEN", "1")
    assert await world.counters("a") == (9, 0, 3, 6)
    sent = await world.send(packed.id)
    assert (sent.version, sent.ship_time.ToDatetime(tzinfo=START.tzinfo)) == (2, START)
    assert await world.counters("a") == (7, 0, 1, 6)
    with pytest.raises(WaybillError) as again:
        await world.shipments().UpdateShipment(
            svc.UpdateShipmentRequest(shipment=shp.Shipment(id=packed.id, ship_time=time_out(START - timedelta(days=1))))
        )
    assert again.value.reason == "SHIPMENT_ALREADY_SHIPPED"


async def test_all_violations_are_reported_and_nothing_is_half_done(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "nut", 9))
    await world.placed("PO1", line("l1", 3, default_supplier_id="bolt"), line("l2", 1, "bit", default_supplier_id="nut"))
    with pytest.raises(WaybillError) as refused:
        await world.ship(
            items=[("PO1-1", "l1", 2), ("PO1-1", "l1", 2), ("PO1-2", "l2", 1), ("PO1-1", "l9", 1), ("PO9-1", "l1", 1)]
        )
    assert {f.reason for f in refused.value.fields} == {
        "SHIPMENT_MIXED_PARTIES",
        "SHIPMENT_LINE_NOT_FOUND",
        "SUPPLIER_ORDER_NOT_FOUND",
    }
    assert [r.type for r in refused.value.rules] == ["SHIPMENT_EXCEEDS_OPEN"]
    assert await world.counters("a") == (9, 0, 3, 6)
    with pytest.raises(WaybillError) as bad:
        await world.ship(items=[("", "l1", 0)], at=START + timedelta(hours=1), id="a b", tracking_number="x" * 201)
    assert {f.field for f in bad.value.fields} == {
        "shipment.items[0].supplier_order_id",
        "shipment.items[0].quantity",
        "shipment.ship_time",
        "shipment.id",
        "shipment.tracking_number",
    }


async def test_a_supplier_ships_its_own_only(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    await world.placed("PO1", line("l1", 3, default_supplier_id="bolt"))
    strangers = ((supplier(party="nut"), "SUPPLIER_ORDER_NOT_FOUND"), (buyer(roles.SHIPMENT_ADMIN), "PARTY_NOT_ADMITTED"))
    for caller, reason in strangers:
        with pytest.raises(WaybillError) as refused:
            await world.ship(caller, items=[("PO1-1", "l1", 1)])
        assert refused.value.reason == reason
    with pytest.raises(WaybillError) as denied:
        await world.ship(supplier(roles.ORDER_READER), items=[("PO1-1", "l1", 1)])
    assert denied.value.metadata == {"role": "ShipmentAdmin"}
    await world.ship(seller(), items=[("PO1-1", "l1", 1)])


async def test_everyone_sees_exactly_the_own_shipments(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "nut", 9))
    await world.placed("PO1", line("l1", 2, default_supplier_id="bolt"), user="anna")
    await world.placed("PO2", line("l1", 2, default_supplier_id="bolt"), user="otto")
    await world.placed("PO3", line("l1", 1, "bit", default_supplier_id="nut"), buyer="globex", user="hank")
    await world.ship(id="s1", items=[("PO1-1", "l1", 1)])
    await world.ship(id="s2", items=[("PO1-1", "l1", 1), ("PO2-1", "l1", 1)])
    await world.ship(id="s3", items=[("PO3-1", "l1", 1)])
    seen = {}
    for caller in (
        seller(),
        supplier(),
        supplier(party="nut"),
        buyer(user="anna"),
        buyer(user="otto"),
        buyer(user="eve"),
        buyer(roles.ORDER_READER, user="eve"),
        buyer(party="globex", user="hank"),
    ):
        answer = await world.shipments(caller).ListShipments(svc.ListShipmentsRequest(order_by="id"))
        seen[(caller.party_id, caller.user_id, len(caller.roles & {roles.ORDER_READER}))] = [
            (s.id, len(s.items)) for s in answer.shipments
        ]
    assert seen == {
        ("seller", "admin", 0): [("s1", 1), ("s2", 2), ("s3", 1)],
        ("bolt", "sven", 1): [("s1", 1), ("s2", 2)],
        ("nut", "sven", 1): [("s3", 1)],
        ("acme", "anna", 0): [("s1", 1), ("s2", 1)],
        ("acme", "otto", 0): [("s2", 1)],
        ("acme", "eve", 0): [],
        ("acme", "eve", 1): [("s1", 1), ("s2", 2)],
        ("globex", "hank", 0): [("s3", 1)],
    }
    of_order = await world.shipments().ListShipments(svc.ListShipmentsRequest(order_id="PO2"))
    assert [s.id for s in of_order.shipments] == ["s2"]
    with pytest.raises(WaybillError) as missing:
        await world.shipments(buyer(user="otto")).GetShipment(svc.GetShipmentRequest(shipment_id="s1"))
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    got = await world.shipments(buyer(user="otto")).GetShipment(svc.GetShipmentRequest(shipment_id="s2"))
    assert [i.order_id for i in got.shipment.items] == ["PO2"]


async def test_a_batch_is_all_or_none_and_idempotent(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line("l1", 4))
    stub = world.shipments()
    with pytest.raises(WaybillError) as refused:
        await stub.BatchCreateShipments(
            svc.BatchCreateShipmentsRequest(
                shipments=[shipment(items=[("PO1-1", "l1", 3)]), shipment(items=[("PO1-1", "l1", 2)])]
            )
        )
    assert refused.value.reason == "SHIPMENT_EXCEEDS_OPEN"
    request = svc.BatchCreateShipmentsRequest(
        shipments=[shipment(items=[("PO1-1", "l1", 3)]), shipment(id="s2", items=[("PO1-1", "l1", 1)])], request_id="once"
    )
    first = await stub.BatchCreateShipments(request)
    assert list((await stub.BatchCreateShipments(request)).shipments) == list(first.shipments)
    assert await world.counters("a") == (5, 0, 0, 5)
    with pytest.raises(WaybillError) as taken:
        await world.ship(id="s2", items=[("PO1-1", "l1", 1)])
    assert taken.value.reason == "RESOURCE_EXISTS"


async def test_what_is_not_counted_there_does_not_leave(world: World) -> None:
    await world.stock(("a", "drill", "", 4))
    await world.placed("PO1", line("l1", 4))
    await world.inventory().AdjustStock(
        inv_service.AdjustStockRequest(
            adjustments=[
                inv_service.StockAdjustment(inventory_record_id="a", kind=inv.STOCK_MOVEMENT_KIND_ADJUST, count=3, note="broken")
            ]
        )
    )
    record = await world.record("a")
    assert (record.available, record.shortage) == (-1, 1)
    with pytest.raises(WaybillError) as short:
        await world.ship(items=[("PO1-1", "l1", 4)])
    assert short.value.reason == "STOCK_SHORTAGE"
    await world.ship(items=[("PO1-1", "l1", 3)])
    assert await world.counters("a") == (0, 0, 1, -1)


async def test_of_a_batch_the_shipment_is_named_at_which_stock_runs_out(world: World) -> None:
    await world.stock(("a", "drill", "", 4), ("b", "bit", "", 4))
    await world.placed("PO1", line("l1", 4), line("l2", 4, "bit"))
    counted = [
        inv_service.StockAdjustment(inventory_record_id=id, kind=inv.STOCK_MOVEMENT_KIND_ADJUST, count=left)
        for id, left in (("a", 3), ("b", 0))
    ]
    await world.inventory().AdjustStock(inv_service.AdjustStockRequest(adjustments=counted))
    drafts = [[("PO1-1", "l1", 2)], [("PO1-1", "l1", 2)], [("PO1-1", "l2", 1)]]
    with pytest.raises(WaybillError) as short:
        await world.shipments().BatchCreateShipments(
            svc.BatchCreateShipmentsRequest(shipments=[shipment(items=items) for items in drafts])
        )
    assert [(r.type, r.subject) for r in short.value.rules] == [
        ("STOCK_SHORTAGE", "shipments[1].items"),
        ("STOCK_SHORTAGE", "shipments[2].items"),
    ]


async def test_shipping_costs_the_same_statements_for_one_line_and_a_thousand(world: World) -> None:
    await world.stock(*[(f"r{n}", f"p{n}", "", 5) for n in range(1_000)])
    counts = []
    for id, size in (("PO1", 1), ("PO2", 1_000)):
        key, lines = new_key(), [line(f"l{n}", 1, f"p{n}") for n in range(size)]
        await world.reserve(key, *lines)
        await world.confirm(key, id, *lines)
        before = world.served.statements
        await world.ship(items=[(f"{id}-1", x.line_item_id, 1) for x in lines])
        counts.append(world.served.statements - before)
        assert status(await world.supplier_order(f"{id}-1")) == "COMPLETED"
    assert counts[0] == counts[1]
    # Load three, lock stock one, units three, stock two, shipment two, its change one, acknowledge two; and since a user of the
    # seller ships, two for the log of acts.
    assert counts[0] == 16


async def test_tracking_and_delivery_are_edited(world: World) -> None:
    await world.stock(("a", "drill", "", 4))
    await world.placed("PO1", line("l1", 4))
    made = await world.ship(id="s1", items=[("PO1-1", "l1", 1)])
    with pytest.raises(WaybillError) as early:
        await world.shipments().UpdateShipment(
            svc.UpdateShipmentRequest(shipment=shp.Shipment(id="s1", delivery_time=time_out(START - timedelta(days=1))))
        )
    assert early.value.fields[0].field == "shipment.delivery_time"
    edited = await world.shipments().UpdateShipment(
        svc.UpdateShipmentRequest(
            shipment=shp.Shipment(
                id="s1", etag=made.etag, tracking_number="1Z", delivery_time=time_out(START + timedelta(days=1))
            )
        )
    )
    assert (edited.shipment.tracking_number, edited.shipment.version) == ("1Z", 2)
    assert world.orders.shipments["s1"].tracking_number == "1Z"


async def test_times_that_cannot_be_are_refused(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line(quantity=3))
    day, minute = timedelta(days=1), timedelta(minutes=1)
    packed = await world.ship(items=[("PO1-1", "l1", 1)], at=None)

    async def field(at: datetime, delivered: datetime) -> str:
        values = {"ship_time": time_out(at), "delivery_time": time_out(delivered)}
        with pytest.raises(WaybillError) as made:
            await world.ship(items=[("PO1-1", "l1", 1)], at=at, delivery_time=time_out(delivered))
        with pytest.raises(WaybillError) as changed:
            await world.shipments().UpdateShipment(svc.UpdateShipmentRequest(shipment=shp.Shipment(id=packed.id, **values)))
        (one,), (other,) = made.value.fields, changed.value.fields
        assert (one.field, one.reason) == (other.field, "VALUE_OUT_OF_RANGE")
        return one.field

    assert await field(START - day - minute, START) == "shipment.ship_time"
    assert await field(START, START + day + minute) == "shipment.delivery_time"
    assert await field(START, START - minute) == "shipment.delivery_time"
    await world.ship(items=[("PO1-1", "l1", 1)], at=START - day, delivery_time=time_out(START + day))


async def test_a_shipment_costs_in_the_currency_of_its_orders(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    await world.placed("PO1", line(quantity=3, default_supplier_id="bolt"))
    euros = Money(currency_code="EUR", units=7)
    with pytest.raises(WaybillError) as refused:
        await world.ship(items=[("PO1-1", "l1", 1)], cost=euros)
    assert [(f.field, f.reason) for f in refused.value.fields] == [("shipment.cost", "CURRENCY_MISMATCH")]
    made = await world.ship(items=[("PO1-1", "l1", 1)], at=None)
    with pytest.raises(WaybillError) as changed:
        await world.shipments().UpdateShipment(svc.UpdateShipmentRequest(shipment=shp.Shipment(id=made.id, cost=euros)))
    assert [(f.field, f.reason) for f in changed.value.fields] == [("shipment.cost", "CURRENCY_MISMATCH")]
    priced = shp.Shipment(id=made.id, cost=dollars(700))
    await world.shipments().UpdateShipment(svc.UpdateShipmentRequest(shipment=priced))
    await world.check()
