"""Stock that is counted by variant, and what is sold of it, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.fulfillment.world import World, line, new_key, reject
from tests.support.principals import buyer, supplier
from tests.support.problems import about
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import shipment_service_pb2 as shp_svc
from waybill.fulfillment.v1 import sourcing_pb2 as src


async def shirts(world: World) -> None:
    """A shirt in two colors, a hat in one of the same name, and a shirt that is of no variant."""
    await world.stock(("red", "shirt", "", 5), variant="red", pickup=True, location="shop")
    await world.stock(("blue", "shirt", "", 2), variant="blue", pickup=True, location="shop")
    await world.stock(("plain", "shirt", "", 9))
    await world.stock(("hat", "hat", "", 4), variant="red")


async def available(world: World, caller: Any = None, *products: str, variants: tuple[tuple[str, str], ...] = ()) -> list[Any]:
    refs = [svc.ProductVariantRef(product_id=product, variant_id=variant) for product, variant in variants]
    request = svc.CheckAvailabilityRequest(product_ids=products, variants=refs)
    return list((await world.inventory(caller).CheckAvailability(request)).products)


async def test_records_and_their_ledger_are_found_by_variant(world: World) -> None:
    await shirts(world)
    listed = await world.inventory().ListInventoryRecords(
        svc.ListInventoryRecordsRequest(filter='product_id = "shirt" AND variant_id = "red"')
    )
    assert [(r.id, r.variant_id) for r in listed.inventory_records] == [("red", "red")]
    ordered = await world.inventory().ListInventoryRecords(svc.ListInventoryRecordsRequest(order_by="variant_id desc, id"))
    assert [r.id for r in ordered.inventory_records] == ["hat", "red", "blue", "plain"]
    ledger = await world.inventory().ListStockMovements(svc.ListStockMovementsRequest(filter='variant_id = "blue"'))
    assert [(m.inventory_record_id, m.variant_id, m.on_hand_change) for m in ledger.stock_movements] == [("blue", "blue", 2)]


async def test_a_record_stays_of_its_variant(world: World) -> None:
    await shirts(world)
    request = svc.UpdateInventoryRecordRequest(inventory_record=inv.InventoryRecord(id="red", variant_id="blue"))
    request.update_mask.paths.append("variant_id")
    with pytest.raises(WaybillError) as refused:
        await world.inventory().UpdateInventoryRecord(request)
    assert refused.value.fields[0].field == "update_mask.paths[0]"
    assert (await world.record("red")).variant_id == "red"


async def test_a_product_has_what_all_its_variants_have_and_a_variant_its_own(world: World) -> None:
    await shirts(world)
    asked = (("shirt", "red"), ("hat", "blue"), ("shirt", ""), ("shirt", "red"))
    answer = await available(world, None, "shirt", "shirt", variants=asked)
    assert [(p.product_id, p.variant_id, p.available) for p in answer] == [
        ("shirt", "", 16),
        ("shirt", "red", 5),
        ("hat", "blue", 0),
        ("shirt", "", 9),
    ]
    assert [(r.inventory_record_id, r.variant_id) for r in answer[0].records] == [("blue", "blue"), ("plain", ""), ("red", "red")]
    assert [r.inventory_record_id for r in answer[1].records] == ["red"]
    summed = svc.CheckAvailabilityRequest(product_ids=["shirt"], totals_only=True)
    (bare,) = (await world.inventory().CheckAvailability(summed)).products
    assert (bare.available, list(bare.records)) == (16, [])


async def test_a_buyer_reads_which_variants_can_be_picked_up_where(world: World) -> None:
    await shirts(world)
    product, red = await available(world, buyer(roles.SHOPPER), "shirt", variants=(("shirt", "red"),))
    places = [(r.location_id, r.variant_id, r.available, r.inventory_record_id) for r in product.records]
    assert places == [("shop", "blue", 2, ""), ("shop", "red", 5, "")]
    assert (product.available, red.available, [r.variant_id for r in red.records]) == (16, 5, ["red"])


async def test_a_buyer_who_is_not_shown_a_product_reads_no_stock_of_its_variants(world: World) -> None:
    await shirts(world)
    world.shop.hidden.add("shirt")
    (hidden, shown) = await available(world, buyer(roles.SHOPPER), variants=(("shirt", "red"), ("hat", "red")))
    assert (hidden.available, list(hidden.records), shown.available) == (0, [], 4)


async def test_a_request_names_no_more_than_can_be_answered(world: World) -> None:
    many = tuple(("shirt", f"v{n}") for n in range(5_000))
    assert len(await available(world, variants=many)) == 5_000
    with pytest.raises(WaybillError) as refused:
        await available(world, None, "shirt", variants=many)
    assert [(f.field, f.reason) for f in refused.value.fields] == [("variants", "TOO_MANY_ITEMS")]


async def test_a_line_of_a_variant_takes_its_stock_alone_until_it_has_left(world: World) -> None:
    await shirts(world)
    lines = (line("l1", 3, "shirt", variant_id="red"), line("l2", 1, "shirt", variant_id="blue"), line("l3", 4, "shirt"))
    _, (made,) = await world.placed("PO1", *lines)
    assert [(x.line_item_id, x.variant_id) for x in made.line_items] == [("l1", "red"), ("l2", "blue"), ("l3", "")]
    assert [[a.inventory_record_id for a in x.allocations] for x in made.line_items] == [["red"], ["blue"], ["plain"]]
    await world.ship(id="s1", items=[("PO1-1", "l1", 3), ("PO1-1", "l3", 1)])
    assert [await world.counters(id) for id in ("red", "blue", "plain")] == [(2, 0, 0, 2), (2, 0, 1, 1), (8, 0, 3, 5)]
    shown = (await world.shipments().GetShipment(shp_svc.GetShipmentRequest(shipment_id="s1"))).shipment
    assert [(i.product_id, i.variant_id) for i in shown.items] == [("shirt", "red"), ("shirt", "")]
    assert [i.variant_id for i in world.orders.shipments["s1"].items] == ["red", ""]
    assert [x.variant_id for x in world.orders.orders[made.key].line_items] == ["red", "blue", ""]


async def test_a_shortage_of_a_variant_is_not_made_up_from_another(world: World) -> None:
    await shirts(world)
    refused = await world.reserve(new_key(), line("l1", 3, "shirt", variant_id="blue"), line("l2", 5, "hat", variant_id="red"))
    assert [(about(p), p.description) for p in refused.problems] == [
        ("l1", "1 of 3 units of variant blue of product shirt are not available."),
        ("l2", "1 of 5 units of variant red of product hat are not available."),
    ]
    named = await world.reserve(new_key(), line("l1", 1, "shirt", variant_id="red", inventory_record_id="blue"))
    assert [p.reason for p in named.problems] == ["INVENTORY_RECORD_NOT_FOUND"]


async def test_a_plan_is_followed_for_its_variant_and_for_no_other(world: World) -> None:
    await shirts(world)
    plan = [
        src.SourcingAssignment(line_item_id="l1", product_id="shirt", quantity=1, ship_from_id="shop", inventory_record_id="red")
    ]
    reserved = await world.reserve(new_key(), line("l1", 1, "shirt", variant_id="red"), plan=plan)
    assert [(a.inventory_record_id, a.variant_id) for a in reserved.assignments] == [("red", "red")]
    stale = await world.reserve(new_key(), line("l1", 1, "shirt", variant_id="blue"), plan=plan)
    assert [p.reason for p in stale.problems] == ["SHIP_ESTIMATE_STALE"]


async def test_a_variant_is_shown_where_stock_is_counted_for_the_whole_product(world: World) -> None:
    await world.stock(("plain", "shirt", "", 9))
    key = new_key()
    await world.reserve(key, line("l1", 2, "shirt"))
    (made,) = await world.confirm(key, "PO1", line("l1", 2, "shirt", variant_id="red"))
    assert (made.line_items[0].variant_id, made.line_items[0].allocations[0].inventory_record_id) == ("red", "plain")
    assert (await world.ship(items=[("PO1-1", "l1", 1)])).items[0].variant_id == "red"


async def test_rejected_units_find_a_new_home_in_stock_of_their_variant(world: World) -> None:
    await world.stock(("bolt-red", "shirt", "bolt", 5), variant="red")
    await world.stock(("nut-blue", "shirt", "nut", 5), ("own-blue", "shirt", "", 5), variant="blue")
    await world.stock(("nut-red", "shirt", "nut", 2), variant="red")
    wanted = line("l1", 3, "shirt", variant_id="red", default_supplier_id="bolt", supplier_ids=["nut"])
    await world.placed("PO1", wanted)
    await reject(world, "PO1-1", supplier(roles.ORDER_ADMIN))
    taken, rest = await world.supplier_order("PO1-2"), await world.supplier_order("PO1-3")
    assert [(x.variant_id, x.quantity, x.allocations[0].inventory_record_id) for x in taken.line_items] == [("red", 2, "nut-red")]
    assert [(x.variant_id, x.quantity, x.quantity_unallocated) for x in rest.line_items] == [("red", 1, 1)]
    assert await world.counters("nut-blue") == (5, 0, 0, 5)
