"""A product in variants, from its specs to the parcel: what is chosen decides the price, the stock and what the supplier sees."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from services.host.sample.marketplace import CURRENCY, dock
from tests.e2e.steps import cents, checked_out, promise, refused, ship, violations
from tests.support.marketplace import OUTGOING, Marketplace, create, get
from waybill.catalog.v1 import (
    my_product_service_pb2,
    product_pb2,
    product_service_pb2,
    spec_pb2,
    spec_service_pb2,
    variant_pb2,
    variant_service_pb2,
)
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_service_pb2
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb
from waybill_client import AsyncWaybill, money

Line, Said = line_item_pb2.LineItem, line_item_pb2.LineItemSpec
PER_UNIT, ONCE = mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY, mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_TOTAL


def option(id: str, type: mark_up_pb.PriceMarkUpType.ValueType = PER_UNIT, amount: str = "") -> spec_pb2.SpecOption:
    made = spec_pb2.SpecOption(id=id, name=id.title())
    if amount:
        made.mark_up.CopyFrom(mark_up_pb.PriceMarkUp(type=type, amounts=[money(amount, CURRENCY)]))
    return made


async def tees(market: Marketplace, id: str) -> None:
    """A product at 50 in two sizes, of which the large one costs 5 more, with a gift box at 3 for the line and a text. Two of
    each size are in stock."""
    owner = market.people.owner
    product = product_pb2.Product(
        id=id, name="Tee", active=True, shippable=True, track_inventory=True, variant_stock=True, default_supplier_id="wh-east"
    )
    await owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=product))
    schedule = price_schedule_service_pb2.PriceSchedule(id=id, name=id, currency=CURRENCY)
    schedule.price_breaks.add(quantity=1, price=money("50", CURRENCY))
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )
    default = price_schedule_service_pb2.PriceAssignment(product_id=id, price_schedule_id=id)
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[default])
    )
    for spec in (
        spec_pb2.Spec(
            id=f"{id}-size",
            name="Size",
            required=True,
            defines_variant=True,
            list_order=1,
            options=[option("s"), option("l", PER_UNIT, "5")],
        ),
        spec_pb2.Spec(
            id=f"{id}-box",
            name="Box",
            list_order=2,
            default_option_id="plain",
            options=[option("plain"), option("gift", ONCE, "3")],
        ),
        spec_pb2.Spec(id=f"{id}-text", name="Text", list_order=3, open_text=True),
    ):
        await owner.specs.CreateSpec(spec_service_pb2.CreateSpecRequest(spec=spec))
        given = [spec_pb2.ProductSpec(product_id=id, spec_id=spec.id)]
        await owner.specs.AssignProductSpecs(spec_service_pb2.AssignProductSpecsRequest(assignments=given))
    await owner.variants.GenerateVariants(variant_service_pb2.GenerateVariantsRequest(product_id=id))
    heavy = variant_pb2.Variant(product_id=id, id="l")
    heavy.weight_kg.value = "7"
    await owner.variants.UpdateVariant(variant_service_pb2.UpdateVariantRequest(variant=heavy))
    records = [
        inventory_service_pb2.NewInventoryRecord(
            inventory_record=inventory_pb2.InventoryRecord(
                id=f"{id}-{size}", product_id=id, variant_id=size, supplier_id="wh-east", location_id=dock("wh-east"), active=True
            ),
            opening_quantity=2,
        )
        for size in ("s", "l")
    ]
    await owner.inventory.BatchCreateInventoryRecords(
        inventory_service_pb2.BatchCreateInventoryRecordsRequest(inventory_records=records)
    )


def said(id: str, **options: str) -> list[Said]:
    return [
        Said(spec_id=f"{id}-{name}", **({"value": text} if name == "text" else {"option_id": text}))
        for name, text in options.items()
    ]


async def add(client: AsyncWaybill, id: str, *lines: Line) -> pb.AddLineItemsResponse:
    return await client.line_items.AddLineItems(pb.AddLineItemsRequest(order_id=id, line_items=lines))


async def change(client: AsyncWaybill, id: str, line: Line, *paths: str) -> Line:
    request = pb.UpdateLineItemsRequest(order_id=id, line_items=[line], update_mask=FieldMask(paths=paths))
    return (await client.line_items.UpdateLineItems(request)).line_items[0]


async def submit(client: AsyncWaybill, id: str) -> Any:
    return await client.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))


@pytest.mark.on_sqlite
async def test_a_variant_is_priced_sourced_and_shipped_as_it_was_chosen(shared_market: Marketplace) -> None:
    ada, owner, clerk = shared_market.people.ada, shared_market.people.owner, shared_market.people.clerks["wh-east"]
    await tees(shared_market, "tee")
    await create(ada, "TEES")
    chosen = said("tee", size="l", box="gift", text="Ada")
    (line,) = (await add(ada, "TEES", Line(id="a", product_id="tee", quantity=2, specs=chosen))).line_items
    assert (line.variant_id, line.product.variant_name, line.product.weight_kg.value) == ("l", "L", "7")
    assert [(s.spec_id, s.option_name, s.value) for s in line.specs] == [
        ("tee-size", "L", ""),
        ("tee-box", "Gift", ""),
        ("tee-text", "", "Ada"),
    ]
    # Priced as soon as it is there: 2 x (50 + 5) + 3.
    assert (cents(line.unit_price), cents(line.line_mark_up), cents(line.subtotal)) == (5_500, 300, 11_300)
    assert [s.WhichOneof("source") for s in line.price_steps] == ["schedule", "mark_up", "mark_up"]
    await checked_out(ada, "TEES", promise())
    await submit(ada, "TEES")
    sold = await get(ada, "TEES", OUTGOING)
    assert cents(sold.subtotal) == 113_00
    (theirs,) = (
        await clerk.supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest(filter='order_id = "TEES"'))
    ).supplier_orders
    (item,) = theirs.line_items
    assert (item.product_id, item.variant_id, item.quantity) == ("tee", "l", 2)
    # Whoever makes it reads what was chosen.
    chosen_there = [(s.name, s.option_name, s.value) for s in item.specs]
    assert chosen_there == [("Size", "L", ""), ("Box", "Gift", ""), ("Text", "", "Ada")]
    await ship(clerk, theirs.id, "a", 2)
    records = await owner.inventory.ListInventoryRecords(
        inventory_service_pb2.ListInventoryRecordsRequest(filter='product_id = "tee"')
    )
    assert {r.variant_id: r.on_hand for r in records.inventory_records} == {"s": 2, "l": 0}
    await shared_market.check()


async def test_a_choice_is_changed_until_the_submit_and_the_price_with_it(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await tees(shared_sqlite_market, "cap")
    await create(ada, "CAPS")
    await add(ada, "CAPS", Line(id="a", product_id="cap", quantity=1, variant_id="s"))
    line = await change(ada, "CAPS", Line(id="a", variant_id="l"), "variant_id")
    assert (line.variant_id, cents(line.subtotal), [s.option_id for s in line.specs]) == ("l", 55_00, ["l", "plain"])
    line = await change(ada, "CAPS", Line(id="a", specs=said("cap", box="gift")), "specs")
    assert (line.variant_id, cents(line.subtotal)) == ("l", 58_00)
    line = await change(ada, "CAPS", Line(id="a", specs=said("cap", size="s")), "specs")
    assert (line.variant_id, cents(line.subtotal)) == ("s", 50_00)
    error = await refused(change(ada, "CAPS", Line(id="a", variant_id="xl"), "variant_id"))
    assert violations(error) == {("line_items[0].variant_id", "VARIANT_NOT_FOUND")}
    await checked_out(ada, "CAPS", promise())
    await shared_sqlite_market.check()


async def test_everything_that_is_wrong_with_choices_is_named_at_once(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await tees(shared_sqlite_market, "mug")
    await tees(shared_sqlite_market, "cup")
    await create(ada, "MUGS")
    error = await refused(
        add(
            ada,
            "MUGS",
            Line(product_id="mug", quantity=1),
            Line(product_id="mug", quantity=1, specs=said("mug", size="xl")),
            Line(product_id="mug", quantity=1, specs=[*said("mug", size="s"), *said("cup", box="gift")]),
            Line(product_id="mug", quantity=1, variant_id="s", specs=said("mug", size="l")),
            Line(product_id="lamp", quantity=1, variant_id="s"),
        )
    )
    assert violations(error) == {
        ("line_items[0].specs", "SPEC_REQUIRED"),
        ("line_items[1].specs[0].option_id", "SPEC_OPTION_NOT_FOUND"),
        ("line_items[2].specs[1].spec_id", "SPEC_NOT_FOUND"),
        ("line_items[3].specs[0]", "VARIANT_MISMATCH"),
        ("line_items[4].variant_id", "VARIANT_NOT_FOUND"),
    }


async def test_a_variant_that_is_switched_off_or_an_option_that_costs_more_by_now_is_not_sold(
    shared_sqlite_market: Marketplace,
) -> None:
    ada, owner = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner
    await tees(shared_sqlite_market, "hat")
    await create(ada, "HATS")
    await add(ada, "HATS", Line(id="a", product_id="hat", quantity=1, specs=said("hat", size="l")))
    await checked_out(ada, "HATS", promise())
    dearer = spec_pb2.Spec(id="hat-size", options=[option("s"), option("l", PER_UNIT, "6")])
    await owner.specs.UpdateSpec(spec_service_pb2.UpdateSpecRequest(spec=dearer, update_mask=FieldMask(paths=["options"])))
    error = await refused(submit(ada, "HATS"))
    assert [(rule.reason, rule.subject) for rule in error.rules] == [("PRODUCT_CHANGED", "line_items[a]")]
    sheet = (await ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id="HATS"))).worksheet
    assert cents(sheet.line_items[0].subtotal) == 56_00
    off = variant_pb2.Variant(product_id="hat", id="l", active=False)
    await owner.variants.UpdateVariant(
        variant_service_pb2.UpdateVariantRequest(variant=off, update_mask=FieldMask(paths=["active"]))
    )
    error = await refused(submit(ada, "HATS"))
    assert [(rule.reason, rule.subject) for rule in error.rules] == [("PRODUCT_INACTIVE", "line_items[a]")]
    error = await refused(add(ada, "HATS", Line(product_id="hat", quantity=1, variant_id="l")))
    assert violations(error) == {("line_items[0].variant_id", "VARIANT_INACTIVE")}
    await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="HATS"))
    await shared_sqlite_market.check()


async def test_a_variant_with_its_own_price_costs_that_and_what_is_chosen_beside_it(shared_sqlite_market: Marketplace) -> None:
    ada, owner = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner
    await tees(shared_sqlite_market, "coat")
    schedule = price_schedule_service_pb2.PriceSchedule(id="coat-l", name="Large coats", currency=CURRENCY)
    schedule.price_breaks.add(quantity=1, price=money("70", CURRENCY))
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )
    own = price_schedule_service_pb2.PriceAssignment(product_id="coat", variant_id="l", price_schedule_id="coat-l")
    await owner.price_schedules.AssignPriceSchedules(price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[own]))
    shown = (
        await owner.my_products.GetMyProduct(my_product_service_pb2.GetMyProductRequest(product_id="coat", buyer_id="acme"))
    ).product
    assert [(p.variant_id, cents(p.unit_price)) for p in (shown.price, *shown.variant_prices)] == [("", 5_000), ("l", 7_000)]
    await create(ada, "COATS")
    lines = (
        Line(id="l", product_id="coat", quantity=1, specs=said("coat", size="l", box="gift")),
        Line(id="s", product_id="coat", quantity=1, variant_id="s"),
    )
    large, small = (await add(ada, "COATS", *lines)).line_items
    assert (cents(large.unit_price), cents(large.line_mark_up), cents(large.subtotal)) == (7_000, 300, 7_300)
    assert (large.price_schedule_id, small.price_schedule_id, cents(small.unit_price)) == ("coat-l", "coat", 5_000)
    changed = await change(ada, "COATS", Line(id="s", variant_id="l"), "variant_id")
    assert (cents(changed.unit_price), changed.price_schedule_id) == (7_000, "coat-l")
    await checked_out(ada, "COATS", promise())
    await submit(ada, "COATS")
    assert cents((await get(ada, "COATS", OUTGOING)).subtotal) == 143_00
    await shared_sqlite_market.check()
