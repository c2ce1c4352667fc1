"""Lines of an order: batches, all or none, with every rule that they can break."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.type.money_pb2 import Money

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import DEPOT, refused, violations, xp
from tests.support.marketplace import ALL, Marketplace, create, get, lines
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill_client import AsyncWaybill, money

Line = line_item_pb2.LineItem


async def add(client: AsyncWaybill, id: str, *added: Line, etag: str = "") -> pb.AddLineItemsResponse:
    return await client.line_items.AddLineItems(pb.AddLineItemsRequest(order_id=id, line_items=added, etag=etag))


async def change(client: AsyncWaybill, id: str, *changed: Line, paths: tuple[str, ...] = (), etag: str = "") -> list[Line]:
    request = pb.UpdateLineItemsRequest(order_id=id, line_items=changed, update_mask={"paths": paths}, etag=etag)
    return list((await client.line_items.UpdateLineItems(request)).line_items)


async def remove(client: AsyncWaybill, id: str, *ids: str, etag: str = "") -> order_pb2.Order:
    request = pb.RemoveLineItemsRequest(order_id=id, line_item_ids=ids, etag=etag)
    return (await client.line_items.RemoveLineItems(request)).order


async def listed(client: AsyncWaybill, id: str) -> list[Line]:
    answer = await client.line_items.ListLineItems(pb.ListLineItemsRequest(order_id=id, direction=ALL))
    return list(answer.line_items)


async def test_lines_are_listed_in_the_order_in_which_they_were_added(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "LIST", anvil=1, lamp=2)
    await add(ada, "LIST", Line(id="own", product_id="tape", quantity=3))
    assert [(line.id, line.product_id, line.quantity) for line in await listed(ada, "LIST")] == [
        ("l1", "anvil", 1),
        ("l2", "lamp", 2),
        ("own", "tape", 3),
    ]
    assert (await remove(ada, "LIST", "l1", "own", "own")).line_item_count == 1
    assert [line.id for line in await listed(ada, "LIST")] == ["l2"]
    assert (await refused(listed(shared_sqlite_market.people.gil, "LIST"))).reason == "RESOURCE_NOT_FOUND"


async def test_lines_that_are_not_on_the_order_or_stand_twice_are_named(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "MISS", anvil=1, lamp=1)
    error = await refused(change(ada, "MISS", Line(id="l1", quantity=5), Line(id="nope", quantity=1), Line(id="l1", quantity=7)))
    assert violations(error) == {("line_items[1].id", "LINE_ITEM_NOT_FOUND"), ("line_items[2].id", "DUPLICATE_ITEM")}
    error = await refused(remove(ada, "MISS", "l1", "no\x00pe"))
    assert violations(error) == {("line_item_ids[1]", "LINE_ITEM_NOT_FOUND")}
    error = await refused(add(ada, "MISS", Line(id="l1", product_id="anvil", quantity=1)))
    assert violations(error) == {("line_items[0].id", "DUPLICATE_ITEM")}
    assert [line.quantity for line in await listed(ada, "MISS")] == [1, 1]


async def test_a_stale_etag_is_aborted_by_every_change_of_lines_and_by_a_submit(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    etag = (await create(ada, "OLD", anvil=1, lamp=1)).etag
    fresh = (await add(ada, "OLD", Line(product_id="tape", quantity=1), etag=etag)).order.etag
    submit = checkout_service_pb2.SubmitOrderRequest(order_id="OLD", etag=etag)
    for call in (
        add(ada, "OLD", Line(product_id="tape", quantity=1), etag=etag),
        change(ada, "OLD", Line(id="l1", quantity=2), etag=etag),
        remove(ada, "OLD", "l1", etag=etag),
        ada.checkout.SubmitOrder(submit),
    ):
        error = await refused(call)
        assert (error.code, error.reason, error.metadata["etag"]) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", fresh)
    await change(ada, "OLD", Line(id="l1", quantity=2), etag=fresh)
    assert (await remove(ada, "OLD", "l2", etag="3")).line_item_count == 2


async def priced(market: Marketplace, id: str) -> None:
    """An order of ada's with a line whose price and discount the seller has overridden."""
    line = Line(
        id="a",
        product_id="anvil",
        quantity=1,
        unit_price_override=money("100", CURRENCY),
        discount_override=money("10", CURRENCY),
    )
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(id=id, from_party={"id": "acme"}, from_user={"id": "ada"}), line_items=[line]
    )
    await market.people.owner.orders.CreateOrder(request)


async def test_a_line_shows_its_discounts_to_those_who_see_its_amounts(shared_sqlite_market: Marketplace) -> None:
    ada, owner, id = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner, "SHOWN-OFF"
    await priced(shared_sqlite_market, id)
    await add(ada, id, Line(id="plain", product_id="lamp", quantity=1))
    await ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=id))
    sheet = (await ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=id))).worksheet
    asked = order_service_pb2.GetOrderRequest(order_id=id, direction=ALL, include_line_items=True)
    mine, theirs = [list((await client.orders.GetOrder(asked)).line_items) for client in (ada, owner)]
    for shown in (list(sheet.line_items), mine, theirs):
        assert [(d.WhichOneof("source"), d.amount) for d in shown[0].discounts] == [("override", money("10", CURRENCY))]
        assert (shown[0].discount, list(shown[1].discounts)) == (money("10", CURRENCY), [])
    assert [list(part.discounts) for part in sheet.calculation.lines] == [list(line.discounts) for line in mine]


async def test_a_line_says_how_its_price_came_about_and_what_the_buyer_says_of_it(shared_sqlite_market: Marketplace) -> None:
    ada, owner, id = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner, "STEP-BY-STEP"
    await priced(shared_sqlite_market, id)
    said = {"cost_center": "CC-7", "shipping_account": "SWIFT-1", "comments": "by the back door"}
    await add(ada, id, Line(id="plain", product_id="lamp", quantity=2, **said))
    await change(ada, id, Line(id="plain", cost_center="CC-8"), paths=("cost_center",))
    await ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=id))
    sheet = (await ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=id))).worksheet
    asked = order_service_pb2.GetOrderRequest(order_id=id, direction=ALL, include_line_items=True)
    for client in (ada, owner):
        by_hand, plain = (await client.orders.GetOrder(asked)).line_items
        assert [s.WhichOneof("source") for s in by_hand.price_steps] == ["override"]
        (step,) = plain.price_steps
        assert (step.schedule.price_schedule_id, step.schedule.break_quantity) == (plain.price_schedule_id, 1)
        assert (step.schedule.counted_quantity, step.unit_amount) == (2, plain.unit_price)
        assert {name: getattr(plain, name) for name in said} == {**said, "cost_center": "CC-8"}
    assert [list(part.price_steps) for part in sheet.calculation.lines] == [list(by_hand.price_steps), list(plain.price_steps)]
    found = await owner.line_items.ListLineItems(
        pb.ListLineItemsRequest(order_id=id, direction=ALL, filter='cost_center = "CC-8"')
    )
    assert [line.id for line in found.line_items] == ["plain"]


@pytest.mark.parametrize(
    ("field", "role"), [("unit_price_override", "OverrideUnitPrice"), ("discount_override", "OverrideDiscount")]
)
async def test_an_override_of_a_line_is_neither_set_nor_cleared_without_its_role(
    shared_sqlite_market: Marketplace, field: str, role: str
) -> None:
    ada, owner = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner
    id = f"PRICE-{role}"
    await priced(shared_sqlite_market, id)
    given: dict[str, Any] = {field: money("1", CURRENCY)}
    for call in (
        change(ada, id, Line(id="a"), paths=(field,)),
        change(ada, id, Line(id="a", **given), paths=(field,)),
        change(ada, id, Line(id="a", **given)),
        add(ada, id, Line(product_id="lamp", quantity=1, **given)),
    ):
        error = await refused(call)
        assert (error.code, error.metadata) == (grpc.StatusCode.PERMISSION_DENIED, {"role": role})
    (line,) = await change(ada, id, Line(id="a", quantity=2, **given), paths=("quantity",))
    assert (line.quantity, line.unit_price_override.units, line.discount_override.units) == (2, 100, 10)
    (line,) = await change(owner, id, Line(id="a"), paths=(field,))
    assert not line.HasField(field)


async def test_bad_overrides_and_xp_of_lines_name_their_fields(shared_sqlite_market: Marketplace) -> None:
    owner = shared_sqlite_market.people.owner
    await priced(shared_sqlite_market, "BADLY")
    fine = Money(currency_code=CURRENCY, units=1, nanos=1)
    error = await refused(change(owner, "BADLY", Line(id="a", unit_price_override=money("-1", CURRENCY), discount_override=fine)))
    assert violations(error) == {
        ("line_items[0].unit_price_override", "AMOUNT_NEGATIVE"),
        ("line_items[0].discount_override", "AMOUNT_TOO_PRECISE"),
    }
    error = await refused(add(owner, "BADLY", Line(product_id="anvil", quantity=1, xp=xp(a="x" * 8_001))))
    assert violations(error) == {("line_items[0].xp", "XP_TOO_LARGE")}
    await change(owner, "BADLY", Line(id="a", xp=xp(a="x" * 5_000)))
    error = await refused(change(owner, "BADLY", Line(id="a", xp=xp(b="x" * 5_000))))
    assert violations(error) == {("line_items[0].xp", "XP_TOO_LARGE")}
    (line,) = await change(owner, "BADLY", Line(id="a", xp=xp(a=None, b="x" * 5_000)))
    assert list(line.xp) == ["b"]


async def test_a_line_may_ship_to_an_address_of_its_own(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    await create(ada, "APART", anvil=1, tongs=1)
    (line,) = await change(ada, "APART", Line(id="l2", shipping_address=DEPOT))
    assert (line.shipping_address_id, line.shipping_address.city) == ("", "Reno")
    error = await refused(change(ada, "APART", Line(id="l1", shipping_address_id="moon")))
    assert violations(error) == {("line_items[0].shipping_address_id", "ADDRESS_NOT_FOUND")}
    answer = await ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id="APART"))
    groups = [sorted(i.line_item_id for i in e.items) for e in answer.worksheet.ship_estimates]
    assert sorted(groups) == [["l1"], ["l2"]]


async def test_a_pick_up_at_an_unknown_place_cannot_be_estimated(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "PICK", anvil=1)
    await change(ada, "PICK", Line(id="l1", pickup_location_id="nowhere"))
    estimate = checkout_service_pb2.EstimateShippingRequest(order_id="PICK")
    error = await refused(ada.checkout.EstimateShipping(estimate))
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION
    assert [rule.subject for rule in error.rules] == ["line_items[l1]"]


async def test_five_thousand_lines_with_addresses_of_their_own_are_an_order_and_one_more_is_not(
    shared_sqlite_market: Marketplace,
) -> None:
    ada = shared_sqlite_market.people.ada
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(id="HUGE", shipping_address_id="hq-acme"),
        line_items=[Line(product_id="tape", quantity=1, shipping_address_id=f"a{i}") for i in range(5_000)],
    )
    # None of them is in the book; what matters is that all were asked about.
    error = await refused(ada.orders.CreateOrder(request))
    assert {f.reason for f in error.fields} == {"ADDRESS_NOT_FOUND"}
    for line in request.line_items:
        line.shipping_address_id = "hq-acme"
    assert (await ada.orders.CreateOrder(request)).order.line_item_count == 5_000
    error = await refused(add(ada, "HUGE", Line(product_id="tape", quantity=1)))
    assert violations(error) == {("line_items", "TOO_MANY_ITEMS")}
    for ids in (["l1"] * 5_001, []):
        call = ada.line_items.RemoveLineItems(pb.RemoveLineItemsRequest(order_id="HUGE", line_item_ids=ids))
        assert violations(await refused(call)) <= {("line_item_ids", "TOO_MANY_ITEMS"), ("line_item_ids", "FIELD_REQUIRED")}
    assert (await remove(ada, "HUGE", "l5000")).line_item_count == 4_999


@pytest.mark.on_sqlite
async def test_lines_added_at_once_do_not_pass_the_limit_together(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(id="FULL"), line_items=[Line(product_id="tape", quantity=1)] * 4_999
    )
    await ada.orders.CreateOrder(request)
    both = await asyncio.gather(
        *(add(ada, "FULL", Line(product_id="lamp", quantity=1)) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["AddLineItemsResponse", "WaybillError"]
    assert (await get(ada, "FULL")).line_item_count == 5_000


async def test_an_order_for_nobody_is_refused_with_everything_else_that_is_wrong(shared_sqlite_market: Marketplace) -> None:
    owner = shared_sqlite_market.people.owner
    wrong = [Line(product_id="unicorn", quantity=1), Line(product_id="a b", quantity=0)]
    about_lines = {
        ("line_items[0].product_id", "PRODUCT_NOT_FOUND"),
        ("line_items[1].product_id", "ID_INVALID"),
        ("line_items[1].quantity", "VALUE_OUT_OF_RANGE"),
    }

    async def create_for(buyer: str, user: str) -> set[tuple[str, str]]:
        order = order_pb2.Order(id="B D", from_party={"id": buyer}, from_user={"id": user}, shipping_address_id="moon")
        request = order_service_pb2.CreateOrderRequest(order=order, line_items=wrong)
        found = violations(await refused(owner.orders.CreateOrder(request)))
        assert found >= about_lines | {("order.id", "ID_INVALID")}
        return found - about_lines - {("order.id", "ID_INVALID")}

    assert await create_for("", "") == {("order.from_party.id", "FIELD_REQUIRED"), ("order.from_user.id", "FIELD_REQUIRED")}
    assert await create_for("a\x00b", "ada") == {("order.from_party.id", "ID_INVALID")}
    assert await create_for("nobody", "ada") == {("order.from_party", "BUYER_NOT_FOUND")}
    assert await create_for("acme", "a b") == {
        ("order.from_user.id", "ID_INVALID"),
        ("order.shipping_address_id", "ADDRESS_NOT_FOUND"),
    }
    assert await create_for("acme", "gil") == {
        ("order.from_user", "BUYER_NOT_FOUND"),
        ("order.shipping_address_id", "ADDRESS_NOT_FOUND"),
    }
    empty = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(from_user={"id": "ada"}), line_items=lines(anvil=1))
    assert violations(await refused(owner.orders.CreateOrder(empty))) == {("order.from_party.id", "FIELD_REQUIRED")}
