"""Prices of groups of users."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from libs.errors import Kind, WaybillError
from libs.protoconv import money_micros
from tests.integration.pricing.world import line, schedule
from tests.support.principals import buyer, seller, supplier
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import order_pricing_service_pb2_grpc as order_grpc
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import pricing_service_pb2 as quotes_pb


def member(*groups, user="anna", party="acme"):
    """A shopper whose token names these groups."""
    return replace(buyer(user=user, party=party), groups=frozenset(groups))


def cut(user="anna"):
    """A shopper whose token had no room for its groups."""
    return replace(buyer(user=user), groups=None)


async def assign(world, *made, **more):
    """(product, buyer, group, schedule)."""
    assignments = [pb.PriceAssignment(product_id=p, buyer_id=b, user_group_id=g, price_schedule_id=s) for p, b, g, s in made]
    await world.schedules().AssignPriceSchedules(pb.AssignPriceSchedulesRequest(assignments=assignments, **more))


async def listed(world, filter=""):
    page = await world.schedules().ListPriceAssignments(pb.ListPriceAssignmentsRequest(filter=filter))
    return [(a.product_id, a.buyer_id, a.user_group_id, a.price_schedule_id) for a in page.assignments]


async def quoted(world, caller, **asked):
    """The price of one anvil in units, by a schedule."""
    request = quotes_pb.QuoteLinesRequest(currency="USD", lines=[line("l")], **asked)
    (found,) = (await world.pricing(caller).QuoteLines(request)).lines
    return Decimal(money_micros(found.unit_price)) / 10**6


async def calculated(world, acting, user_id):
    """The same, as the order service asks for an order of acme."""
    stub = world.served.service_stub(order_grpc.OrderPricingServiceStub, "order", acting)
    request = order_pb.CalculateOrderRequest(buyer_id="acme", currency="USD", lines=[line("l")], user_id=user_id)
    (found,) = (await stub.CalculateOrder(request)).lines
    return Decimal(money_micros(found.unit_price)) / 10**6


@pytest.fixture
async def priced(world):
    """An anvil is 10 for everyone, 9 for acme, 12 for its managers, 8 for its smiths and 7 for its masters."""
    prices = {"all": "10", "acme": "9", "managers": "12", "smiths": "8", "masters": "7"}
    await world.add(*(schedule(id, price) for id, price in prices.items()))
    groups = [("anvil", "acme", group, group) for group in ("managers", "smiths", "masters")]
    await assign(world, ("anvil", "", "", "all"), ("anvil", "acme", "", "acme"), *groups)
    return world


async def test_a_group_beats_its_buyer_and_of_several_groups_the_lowest_price_holds(priced):
    assert await quoted(priced, member()) == 9
    assert await quoted(priced, member("strangers")) == 9
    assert await quoted(priced, member("managers")) == 12
    assert await quoted(priced, member("managers", "smiths", "masters")) == 7
    assert await quoted(priced, member("smiths", party="globex")) == 10
    assert await quoted(priced, supplier()) == 10
    assert priced.memberships.asked == []


async def test_the_directory_is_asked_once_where_the_token_does_not_say_and_a_group_has_a_price(priced):
    priced.memberships.groups = {"anna": [f"g{i}" for i in range(10_000)] + ["smiths"]}
    before = priced.served.statements
    assert await quoted(priced, cut()) == 8
    assert priced.served.statements - before == 2
    assert await calculated(priced, seller(), "anna") == 8
    assert await calculated(priced, cut(), "anna") == 8
    assert await calculated(priced, None, "anna") == 8
    assert await calculated(priced, member("masters", user="bob"), "anna") == 8
    assert priced.memberships.asked == ["anna"] * 5
    assert await calculated(priced, member("masters"), "anna") == 7
    assert await calculated(priced, seller(), "") == 9
    assert len(priced.memberships.asked) == 5


async def test_nobody_is_asked_about_products_that_no_group_has_a_price_for(world):
    await world.price("anvil", "10")
    await assign(world, ("lamp", "acme", "smiths", "anvil"), ("anvil", "globex", "smiths", "anvil"))
    assert await quoted(world, cut()) == 10
    assert await calculated(world, seller(), "anna") == 10
    assert world.memberships.asked == []


async def test_the_seller_asks_for_any_user_and_a_buyer_for_itself(priced):
    priced.memberships.groups = {"anna": ["smiths"]}
    assert await quoted(priced, seller(), buyer_id="acme") == 9
    assert await quoted(priced, seller(), buyer_id="acme", user_id="anna") == 8
    assert await quoted(priced, member("masters"), user_id="anna") == 7
    for stranger in (member("smiths", user="bob"), supplier()):
        with pytest.raises(WaybillError) as refused:
            await quoted(priced, stranger, user_id="anna")
        assert (refused.value.kind, refused.value.metadata["resource"]) == (Kind.MISSING, "user")


async def test_a_quote_of_a_group_holds_at_submit_until_its_price_moves(priced):
    priced.memberships.groups = {"bob": ["smiths"]}
    asked = {"user_id": "bob", "validate_only": True}
    assert await priced.reserve(line("l"), expected={"l": "8"}, **asked) == ("UNSPECIFIED", [])
    await assign(priced, ("anvil", "acme", "smiths", "masters"))
    assert await priced.reserve(line("l"), expected={"l": "8"}, **asked) == ("UNSPECIFIED", [("l", "PRICE_CHANGED")])


async def test_assignments_of_groups_are_listed_replaced_and_ended_by_themselves(priced):
    assert await listed(priced, 'user_group_id = "smiths"') == [("anvil", "acme", "smiths", "smiths")]
    assert await listed(priced, 'user_group_id = ""') == [("anvil", "", "", "all"), ("anvil", "acme", "", "acme")]
    await assign(priced, ("anvil", "acme", "smiths", "acme"))
    keys = [pb.PriceAssignmentKey(product_id="anvil", buyer_id="acme", user_group_id="managers")]
    await priced.schedules().UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=keys))
    remaining = [
        ("anvil", "", "", "all"),
        ("anvil", "acme", "", "acme"),
        ("anvil", "acme", "masters", "masters"),
        ("anvil", "acme", "smiths", "acme"),
    ]
    assert await listed(priced) == remaining
    got = await priced.schedules().BatchGetPriceAssignments(pb.BatchGetPriceAssignmentsRequest(product_ids=["anvil"]))
    assert [a.user_group_id for a in got.assignments] == ["", "", "masters", "smiths"]


async def test_a_group_without_its_buyer_is_refused(world):
    await world.add(schedule("s", "1"))
    with pytest.raises(WaybillError) as refused:
        await assign(world, ("anvil", "", "smiths", "s"))
    assert [(f.field, f.reason) for f in refused.value.fields] == [("assignments[0].buyer_id", "FIELD_REQUIRED")]


async def test_what_a_buyer_is_not_shown_has_no_price_for_it_like_what_does_not_exist(priced):
    priced.shop.hidden, priced.shop.inactive = {"anvil"}, {"old"}
    await assign(priced, ("old", "", "", "all"))
    wanted = [line("hidden"), line("inactive", "old"), line("unknown", "nothing")]
    request = quotes_pb.QuoteLinesRequest(currency="USD", lines=wanted)
    answer = await priced.pricing(member("masters")).QuoteLines(request)
    assert ([problem.reason for problem in answer.problems], list(answer.lines)) == (["PRICE_MISSING"] * 3, [])
    assert priced.shop.asked == [("acme", "anna")]
    assert await quoted(priced, seller(), buyer_id="acme") == 9
    assert len(priced.shop.asked) == 1
