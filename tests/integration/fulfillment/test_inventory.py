"""Inventory records, counts and the ledger."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import WaybillError
from services import roles
from tests.integration.fulfillment.world import World, line
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.type.v1.address_pb2 import Address

KEEPER = supplier(roles.INVENTORY_ADMIN)


def record(**values) -> inv.InventoryRecord:
    return inv.InventoryRecord(**{"product_id": "drill", "location_id": "dock", **values})


async def create(world: World, caller, made: inv.InventoryRecord, opening: int = 0):
    answer = await world.inventory(caller).CreateInventoryRecord(
        svc.CreateInventoryRecordRequest(inventory_record=made, opening_quantity=opening)
    )
    return answer.inventory_record


def adjust(id: str, **values) -> svc.AdjustStockRequest:
    values.setdefault("kind", inv.STOCK_MOVEMENT_KIND_ADJUST)
    return svc.AdjustStockRequest(adjustments=[svc.StockAdjustment(inventory_record_id=id, **values)])


async def test_a_record_takes_its_address_from_the_directory_or_as_given(world: World) -> None:
    made = await create(world, seller(), record(), opening=7)
    assert (made.id[:4], made.address.city, made.on_hand, made.available, made.active) == ("inv_", "Berlin", 7, 7, True)
    given = await create(world, seller(), record(location_id="", address=Address(id="east", city="Bonn", country="DE")))
    assert (given.location_id, given.address.city) == ("east", "Bonn")
    with pytest.raises(WaybillError) as missing:
        await create(world, seller(), record(location_id="nowhere"))
    assert (missing.value.reason, missing.value.fields[0].field) == ("LOCATION_NOT_FOUND", "inventory_record.location_id")


async def test_foreign_suppliers_and_products_and_unknown_locations_are_reported_together(world: World) -> None:
    made = [
        record(supplier_id="nut", location_id="nowhere"),
        record(location_id="nowhere"),
        record(),
        record(product_id="others"),
    ]
    with pytest.raises(WaybillError) as refused:
        await world.inventory(KEEPER).BatchCreateInventoryRecords(
            svc.BatchCreateInventoryRecordsRequest(inventory_records=[svc.NewInventoryRecord(inventory_record=r) for r in made])
        )
    assert [(f.field, f.reason) for f in refused.value.fields] == [
        ("inventory_records[3].inventory_record.product_id", "PRODUCT_NOT_FULFILLED"),
        ("inventory_records[0].inventory_record.supplier_id", "FIELD_INVALID"),
        ("inventory_records[1].inventory_record.location_id", "LOCATION_NOT_FOUND"),
    ]
    assert (await create(world, seller(), record(product_id="others"))).product_id == "others"


async def test_a_supplier_keeps_its_own_records_only(world: World) -> None:
    mine = await create(world, KEEPER, record(id="mine"))
    assert mine.supplier_id == "bolt"
    await create(world, seller(), record(id="theirs", supplier_id="nut"))
    with pytest.raises(WaybillError) as other:
        await create(world, KEEPER, record(supplier_id="nut"))
    assert other.value.fields[0].field == "inventory_record.supplier_id"
    with pytest.raises(WaybillError) as hidden:
        await world.inventory(KEEPER).GetInventoryRecord(svc.GetInventoryRecordRequest(inventory_record_id="theirs"))
    assert hidden.value.reason == "RESOURCE_NOT_FOUND"
    with pytest.raises(WaybillError) as unknown:
        await world.inventory(KEEPER).AdjustStock(adjust("theirs", change=5))
    assert unknown.value.reason == "INVENTORY_RECORD_NOT_FOUND"
    listed = await world.inventory(KEEPER).ListInventoryRecords(svc.ListInventoryRecordsRequest())
    assert [r.id for r in listed.inventory_records] == ["mine"]
    for caller, reason in ((supplier(), "ROLE_MISSING"), (buyer(roles.INVENTORY_ADMIN), "PARTY_NOT_ADMITTED")):
        with pytest.raises(WaybillError) as denied:
            await create(world, caller, record())
        assert denied.value.reason == reason


async def test_a_batch_names_every_violation_and_stores_nothing(world: World) -> None:
    batch = [record(id="a"), record(id="a"), record(id="b", product_id=""), record(id="x y", location_id="")]
    with pytest.raises(WaybillError) as refused:
        await world.inventory().BatchCreateInventoryRecords(
            svc.BatchCreateInventoryRecordsRequest(
                inventory_records=[svc.NewInventoryRecord(inventory_record=r, opening_quantity=-1) for r in batch]
            )
        )
    fields = {f.field.removeprefix("inventory_records") for f in refused.value.fields}
    assert {
        "[1].inventory_record.id",
        "[2].inventory_record.product_id",
        "[3].inventory_record.id",
        "[3].inventory_record.location_id",
        "[0].opening_quantity",
    } <= fields
    assert not (await world.inventory().ListInventoryRecords(svc.ListInventoryRecordsRequest())).inventory_records
    await create(world, seller(), record(id="a"))
    with pytest.raises(WaybillError) as taken:
        await create(world, seller(), record(id="a"))
    assert taken.value.reason == "RESOURCE_EXISTS"


async def test_counts_and_receipts_are_in_the_ledger(world: World) -> None:
    await create(world, seller(), record(id="a"), opening=5)
    await world.inventory().AdjustStock(adjust("a", kind=inv.STOCK_MOVEMENT_KIND_RECEIVE, change=4, note="truck"))
    answer = await world.inventory().AdjustStock(adjust("a", count=7, note="counted"))
    assert answer.inventory_records[0].on_hand == 7
    ledger = await world.inventory().ListStockMovements(
        svc.ListStockMovementsRequest(filter='inventory_record_id = "a"', order_by="create_time")
    )
    assert [(m.on_hand_change, m.note, m.user_id) for m in ledger.stock_movements] == [
        (5, "opening", "admin"),
        (4, "truck", "admin"),
        (-2, "counted", "admin"),
    ]
    adjusted = await world.inventory().ListStockMovements(svc.ListStockMovementsRequest(filter="kind = ADJUST"))
    assert len(adjusted.stock_movements) == 1
    for bad in (
        adjust("a", change=-8),
        adjust("a", count=-1),
        adjust("a", kind=inv.STOCK_MOVEMENT_KIND_RECEIVE, change=0),
        adjust("a", kind=inv.STOCK_MOVEMENT_KIND_SHIP, change=1),
        adjust("a"),
        adjust("nope", change=1),
        svc.AdjustStockRequest(),
    ):
        with pytest.raises(WaybillError):
            await world.inventory().AdjustStock(bad)
    assert await world.counters("a") == (7, 0, 0, 7)


async def test_receipts_at_once_are_all_counted_and_a_repeated_one_once(world: World) -> None:
    await create(world, seller(), record(id="a"))
    receipt = adjust("a", kind=inv.STOCK_MOVEMENT_KIND_RECEIVE, change=2)
    await asyncio.gather(*[world.inventory().AdjustStock(receipt) for _ in range(10)])
    receipt.request_id = "once"
    await asyncio.gather(*[world.inventory().AdjustStock(receipt) for _ in range(5)])
    assert await world.counters("a") == (22, 0, 0, 22)


async def test_a_record_is_edited_but_not_into_a_hidden_shortage(world: World) -> None:
    await create(world, seller(), record(id="a", can_exceed=True), opening=1)
    await world.placed("PO1", line(quantity=3))
    stub = world.inventory()
    request = svc.UpdateInventoryRecordRequest(
        inventory_record=inv.InventoryRecord(id="a", can_exceed=False), update_mask=FieldMask(paths=["can_exceed"])
    )
    with pytest.raises(WaybillError) as short:
        await stub.UpdateInventoryRecord(request)
    assert short.value.reason == "STOCK_SHORTAGE"
    await stub.AdjustStock(adjust("a", change=2))
    assert not (await stub.UpdateInventoryRecord(request)).inventory_record.can_exceed
    request.inventory_record.etag = "1"
    with pytest.raises(WaybillError) as stale:
        await stub.UpdateInventoryRecord(request)
    assert stale.value.metadata["etag"] == "2"
    with pytest.raises(WaybillError) as fixed:
        await stub.UpdateInventoryRecord(
            svc.UpdateInventoryRecordRequest(
                inventory_record=inv.InventoryRecord(id="a"), update_mask=FieldMask(paths=["on_hand", "nope"])
            )
        )
    assert len(fixed.value.fields) == 2


async def test_an_edit_leaves_what_it_does_not_name_and_the_location_of_the_record(world: World) -> None:
    made = await create(world, seller(), record(id="a", location_id="shop", priority=3), opening=1)
    changed = inv.InventoryRecord(id="a", address=Address(id="elsewhere", city="Rome", country="IT"), priority=9)
    for xp in ({"color": "red", "shelf": 1}, {"color": None, "shelf": 2}):
        changed.xp.Clear()
        changed.xp.update(xp)
        request = svc.UpdateInventoryRecordRequest(inventory_record=changed, update_mask=FieldMask(paths=["address", "xp"]))
        after = (await world.inventory().UpdateInventoryRecord(request)).inventory_record
    assert (after.address.id, after.address.city, after.priority, after.on_hand) == ("shop", "Rome", 3, 1)
    assert (dict(after.xp), after.create_time) == ({"shelf": 2}, made.create_time)


async def test_availability_is_by_product_and_location(world: World) -> None:
    await world.stock(("a", "drill", "", 5), ("b", "drill", "bolt", 3))
    await world.stock(("c", "bit", "", 2), pickup=True, location="shop")
    await world.inventory().UpdateInventoryRecord(
        svc.UpdateInventoryRecordRequest(
            inventory_record=inv.InventoryRecord(id="b", active=False), update_mask=FieldMask(paths=["active"])
        )
    )
    await world.placed("PO1", line(quantity=2))
    request = svc.CheckAvailabilityRequest(product_ids=["bit", "drill", "saw", "bit"])
    answer = await world.inventory().CheckAvailability(request)
    assert [(p.product_id, p.available, [r.inventory_record_id for r in p.records]) for p in answer.products] == [
        ("bit", 2, ["c"]),
        ("drill", 3, ["a", "b"]),
        ("saw", 0, []),
    ]
    assert answer.products[0].records[0].pickup


async def test_nobody_learns_of_the_stock_of_competitors(world: World) -> None:
    await world.stock(("a", "drill", "", 5), ("b", "drill", "bolt", 3), ("c", "drill", "nut", 4))
    await world.stock(("d", "drill", "bolt", 2), ("e", "drill", "nut", 1), pickup=True, location="shop")
    request = svc.CheckAvailabilityRequest(product_ids=["drill"])

    async def seen(stub) -> tuple[int, list[tuple[str, str, str, int]]]:
        (product,) = (await stub.CheckAvailability(request)).products
        return product.available, [(r.inventory_record_id, r.supplier_id, r.location_id, r.available) for r in product.records]

    everything = [
        ("a", "", "a-place", 5),
        ("b", "bolt", "b-place", 3),
        ("c", "nut", "c-place", 4),
        ("d", "bolt", "shop", 2),
        ("e", "nut", "shop", 1),
    ]
    assert await seen(world.inventory()) == (15, everything)
    assert await seen(world.inventory(supplier())) == (5, [everything[1], everything[3]])
    assert await seen(world.inventory(buyer())) == (15, [("", "", "shop", 3)])
    assert await seen(world.inventory(supplier(roles.ORDER_READER))) == (5, [("", "", "shop", 2)])


async def test_a_buyer_learns_of_no_stock_of_what_it_is_not_shown(world: World) -> None:
    await world.stock(("a", "drill", "", 5), ("b", "secret", "", 7), pickup=True, location="shop")
    world.shop.hidden, world.shop.inactive = {"secret"}, {"old"}
    await world.stock(("c", "old", "", 9))
    request = svc.CheckAvailabilityRequest(product_ids=["drill", "secret", "old", "nothing"])
    shown, hidden, inactive, nothing = (await world.inventory(buyer()).CheckAvailability(request)).products
    assert (shown.available, len(shown.records)) == (5, 1)
    for other in (hidden, inactive):
        assert (other.available, other.can_exceed, list(other.records)) == (0, nothing.can_exceed, [])
    assert world.shop.asked == [("acme", buyer().user_id)]
    assert [p.available for p in (await world.inventory().CheckAvailability(request)).products] == [5, 7, 9, 0]
    assert len(world.shop.asked) == 1
