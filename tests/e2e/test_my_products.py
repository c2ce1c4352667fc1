"""A shop as its customer sees it: products, own prices and stock in one call."""

from __future__ import annotations

from libs.rpc.counters import sent
from services.host.sample.catalogs import FORGE
from tests.e2e.steps import refused
from tests.e2e.test_catalogs import close_main
from tests.support.guests import guest, open_to_guests
from tests.support.marketplace import Marketplace
from waybill.catalog.v1 import my_product_pb2
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2 as prices_pb
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money


async def shop(person: AsyncWaybill, **asked: object) -> dict[str, my_product_pb2.MyProduct]:
    """What somebody is shown, by product."""
    page = await person.my_products.ListMyProducts(pb.ListMyProductsRequest(order_by="id", **asked))  # type: ignore[arg-type]
    return {item.product.id: item for item in page.products}


async def price(
    market: Marketplace, id: str, product: str, *breaks: tuple[int, str], buyer: str = "", group: str = "", **fields: object
) -> None:
    """A schedule, and whom it holds for."""
    owner = market.people.owner
    steps = [prices_pb.PriceBreak(quantity=quantity, price=money(amount, "USD")) for quantity, amount in breaks]
    made = prices_pb.PriceSchedule(id=id, name=id, currency="USD", price_breaks=steps, **fields)  # type: ignore[arg-type]
    await owner.price_schedules.CreatePriceSchedule(prices_pb.CreatePriceScheduleRequest(price_schedule=made))
    assigned = prices_pb.PriceAssignment(product_id=product, buyer_id=buyer, user_group_id=group, price_schedule_id=id)
    await owner.price_schedules.AssignPriceSchedules(prices_pb.AssignPriceSchedulesRequest(assignments=[assigned]))


async def test_two_buyers_and_a_group_see_and_pay_different_things(market: Marketplace) -> None:
    people = market.people
    await price(market, "acme-lamp", "lamp", (1, "50.00"), buyer="acme")
    bounds = {"restricted_quantity": True, "max_quantity": 20}
    await price(market, "group-tongs", "tongs", (5, "9.99"), (10, "8.88"), buyer="acme", group="purchasing", **bounds)
    await close_main(market)
    ada = await shop(people.ada)

    assert list(ada) == ["anvil", "lamp", "tongs"]
    assert await shop(people.gil) == {}
    assert ada["lamp"].price.unit_price == money("50.00", "USD")
    assert ada["anvil"].price.unit_price == money("189.00", "USD")
    assert [(b.quantity, b.price.units) for b in ada["anvil"].price.terms[0].price_breaks] == [(1, 189), (4, 175)]
    tongs = ada["tongs"].price
    assert (tongs.price_schedule_id, tongs.quantity, tongs.unit_price) == ("group-tongs", 5, money("9.99", "USD"))
    assert (tongs.terms[0].restricted_quantity, tongs.terms[0].max_quantity) == (True, 20)
    assert (ada["anvil"].availability.tracked, ada["anvil"].availability.available) == (True, 40)
    one = await people.ada.my_products.GetMyProduct(pb.GetMyProductRequest(product_id="tongs"))
    assert one.product == ada["tongs"]
    hidden = await refused(people.ada.my_products.GetMyProduct(pb.GetMyProductRequest(product_id="tape")))
    unknown = await refused(people.ada.my_products.GetMyProduct(pb.GetMyProductRequest(product_id="none")))
    assert hidden.reason == unknown.reason == "RESOURCE_NOT_FOUND"


async def test_stock_that_is_kept_for_a_group_is_shown_and_sold_to_it_alone(market: Marketplace) -> None:
    people = market.people
    kept = inventory_pb2.InventoryRecord(
        id="kept", product_id="anvil", supplier_id="northforge", location_id="northforge-dock", user_group_ids=["purchasing"]
    )
    kept.address.CopyFrom(Address(id="northforge-dock", lines=["1 Anvil Way"], city="Pittsburgh", country="US"))
    made = inventory_service_pb2.CreateInventoryRecordRequest(inventory_record=kept, opening_quantity=5)
    await people.owner.inventory.CreateInventoryRecord(made)

    seen = [(await shop(person))["anvil"].availability.available for person in (people.ada, people.gil)]
    assert seen == [45, 40]
    assert (await shop(people.owner, buyer_id="acme", user_id="ada"))["anvil"].availability.available == 45
    assert (await shop(people.owner, buyer_id="acme"))["anvil"].availability.available == 40
    await people.ada.place_order({"anvil": 1}, id="ADAS")
    await people.gil.place_order({"anvil": 1}, id="GILS")
    asked = inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id="kept")
    assert (await people.owner.inventory.GetInventoryRecord(asked)).inventory_record.allocated == 1


async def test_the_seller_looks_at_the_shop_of_a_buyer_and_of_its_user(market: Marketplace) -> None:
    people = market.people
    await price(market, "group-anvil", "anvil", (1, "1.00"), buyer="acme", group="purchasing")
    await close_main(market)

    assert await shop(people.owner, buyer_id="acme", user_id="ada") == await shop(people.ada)
    assert list(await shop(people.owner, buyer_id="acme")) == ["anvil"]
    assert (await shop(people.owner, buyer_id="acme"))["anvil"].price.unit_price == money("189.00", "USD")
    for asked, resource in (({"buyer_id": "nobody"}, "buyer"), ({"buyer_id": "acme", "user_id": "gil"}, "user")):
        error = await refused(shop(people.owner, **asked))
        assert (error.reason, error.metadata["resource"]) == ("RESOURCE_NOT_FOUND", resource)
    missing = await refused(shop(people.owner))
    assert [(f.field, f.reason) for f in missing.fields] == [("buyer_id", "FIELD_REQUIRED")]
    for asked in ({"buyer_id": "globex"}, {"user_id": "gil"}):
        assert (await refused(shop(people.ada, **asked))).reason == "RESOURCE_NOT_FOUND"


async def test_a_guest_sees_the_shop_of_the_channel(market: Marketplace) -> None:
    await open_to_guests(market)
    visitor = await guest(market)
    try:
        await visitor.guest_order()
        seen = await shop(visitor)
    finally:
        await visitor.close()

    assert list(seen) == ["anvil", "crate", "lamp", "tape", "tarp", "tongs"]
    assert seen["crate"].availability.available == 70
    assert seen["tape"].price.unit_price == money("3.333", "USD")


async def test_a_product_without_a_price_is_shown_without_one(market: Marketplace) -> None:
    keys = [prices_pb.PriceAssignmentKey(product_id="tape")]
    await market.people.owner.price_schedules.UnassignPriceSchedules(prices_pb.UnassignPriceSchedulesRequest(assignments=keys))
    seen = await shop(market.people.ada)

    assert not seen["tape"].HasField("price")
    assert seen["lamp"].HasField("price")


async def test_a_category_holds_what_stands_below_it(market: Marketplace) -> None:
    owner, ada = market.people.owner, market.people.ada
    assert list(await shop(ada, category_id=FORGE)) == ["anvil", "tongs"]
    assert list(await shop(ada, category_id=FORGE, only_this=True)) == ["anvil"]
    assert list(await shop(owner, buyer_id="acme", category_id=FORGE)) == ["anvil"]
    assert await shop(ada, category_id="none") == {}
    assert list(await shop(ada, catalog_id="trade")) == ["anvil", "lamp", "tongs"]
    assert await shop(market.people.gil, catalog_id="trade") == {}
    assert await shop(market.people.gil, category_id=FORGE) == {}


async def test_a_page_costs_one_call_to_each_service(market: Marketplace) -> None:
    before = dict(sent)
    await shop(market.people.ada)
    after = {method: n - before.get(method, 0) for method, n in sent.items() if n != before.get(method, 0)}

    names = {method.rsplit("/", 1)[-1]: n for method, n in after.items() if "Key" not in method and "Revocations" not in method}
    assert names == {"GetOrderingContext": 1, "BatchGetProductPrices": 1, "CheckAvailability": 1}


async def test_pages_and_filters_are_those_of_lists(market: Marketplace) -> None:
    ada = market.people.ada
    first = await ada.my_products.ListMyProducts(
        pb.ListMyProductsRequest(order_by="id", page_size=2, include_total=True, filter='name : "a"')
    )
    second = await ada.my_products.ListMyProducts(
        pb.ListMyProductsRequest(order_by="id", page_size=2, filter='name : "a"', page_token=first.next_page_token)
    )
    assert [i.product.id for i in [*first.products, *second.products]] == ["crate", "lamp", "tape", "tarp"]
    assert first.total_size == 4
    error = await refused(shop(ada, filter='name : "a"', page_token=first.next_page_token, catalog_id="main"))
    assert [f.field for f in error.fields] == ["page_token"]
