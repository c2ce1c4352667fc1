"""Prices of variants, through the service: assigned, listed, calculated, offered, ended."""

import pytest

from libs.errors import WaybillError
from tests.integration.pricing.world import line, schedule, usd
from tests.support.principals import buyer
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import product_price_service_pb2 as offers_pb
from waybill.pricing.v1 import product_price_service_pb2_grpc as offers_grpc


def of(schedule_id, variant="", buyer="", group="", product="anvil"):
    return pb.PriceAssignment(
        product_id=product, variant_id=variant, buyer_id=buyer, user_group_id=group, price_schedule_id=schedule_id
    )


@pytest.fixture
async def priced(world):
    """An anvil at 10, to acme at 8; the large one at 12, to acme's smiths at 11; the tiny one at 10 to somebody else."""
    await world.add(*(schedule(id, price) for id, price in (("ten", "10"), ("eight", "8"), ("twelve", "12"), ("eleven", "11"))))
    made = [
        of("ten"),
        of("eight", buyer="acme"),
        of("twelve", "l"),
        of("eleven", "l", "acme", "smiths"),
        of("ten", "xs", "other"),
    ]
    await world.schedules().AssignPriceSchedules(pb.AssignPriceSchedulesRequest(assignments=made))
    return world


async def test_a_variant_has_the_price_of_its_most_specific_schedule_and_others_that_of_the_product(priced):
    priced.memberships.groups = {"bob": ["smiths"]}
    lines = [line("none"), line("large", variant_id="l"), line("tiny", variant_id="xs")]
    found = await priced.calculate(*lines)
    assert [p.unit_price for p in found.lines] == [usd("8"), usd("12"), usd("8")]
    assert found.lines[1].price_schedule_id == "twelve"
    found = await priced.calculate(*lines, user_id="bob")
    assert [p.unit_price for p in found.lines] == [usd("8"), usd("11"), usd("8")]


async def test_a_quote_of_a_variant_holds_until_its_own_price_moves(priced):
    one = line("l", variant_id="l")
    assert await priced.reserve(one, expected={"l": "12"}, validate_only=True) == ("UNSPECIFIED", [])
    await priced.schedules().AssignPriceSchedules(pb.AssignPriceSchedulesRequest(assignments=[of("eleven", "l")]))
    assert await priced.reserve(one, expected={"l": "12"}, validate_only=True) == ("UNSPECIFIED", [("l", "PRICE_CHANGED")])


async def test_assignments_of_variants_are_listed_and_ended_by_themselves(priced):
    listed = pb.ListPriceAssignmentsRequest(filter='variant_id = "l"')
    found = (await priced.schedules().ListPriceAssignments(listed)).assignments
    assert [(a.buyer_id, a.user_group_id, a.price_schedule_id) for a in found] == [
        ("", "", "twelve"),
        ("acme", "smiths", "eleven"),
    ]
    ended = [pb.PriceAssignmentKey(product_id="anvil", variant_id="l")]
    await priced.schedules().UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=ended))
    assert [p.unit_price for p in (await priced.calculate(line("none"), line("large", variant_id="l"))).lines] == [usd("8")] * 2


async def test_prices_of_variants_are_offered_where_they_are_wanted(priced):
    stub = priced.served.service_stub(offers_grpc.ProductPriceServiceStub, "catalog", buyer())
    for wanted, expected in ((False, [("", "8")]), (True, [("", "8"), ("l", "12")])):
        request = offers_pb.BatchGetProductPricesRequest(
            buyer_id="acme", currency="USD", product_ids=["anvil", "lost"], with_variants=wanted
        )
        found = (await stub.BatchGetProductPrices(request)).prices
        assert [(p.variant_id, p.unit_price) for p in found] == [(id, usd(price)) for id, price in expected]


async def test_a_variant_is_named_by_an_id(world):
    with pytest.raises(WaybillError) as refused:
        await world.schedules().AssignPriceSchedules(pb.AssignPriceSchedulesRequest(assignments=[of("s", "a/b")]))
    assert [f.field for f in refused.value.fields] == ["assignments[0].variant_id"]
