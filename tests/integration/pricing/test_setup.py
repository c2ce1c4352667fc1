"""Price schedules, their assignment, tax rates."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from tests.integration.pricing.conftest import NOW
from tests.integration.pricing.world import rate, schedule, usd
from tests.support.principals import buyer, refusal_of, seller
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import tax_rate_service_pb2 as rates_pb

DAY = timedelta(days=1)


def violations(error):
    return sorted((f.field, f.reason) for f in error.value.fields)


async def assignments(world, **asked):
    page = await world.schedules().ListPriceAssignments(pb.ListPriceAssignmentsRequest(**asked))
    return [(a.product_id, a.buyer_id, a.price_schedule_id) for a in page.assignments], page.next_page_token


async def test_a_schedule_comes_back_as_it_was_stored_with_its_breaks_in_order(world):
    wanted = schedule(
        "s",
        (10, "8.5", "7.000001"),
        (1, "10"),
        min_quantity=1,
        max_quantity=500,
        use_cumulative_quantity=True,
        restricted_quantity=True,
        sale_start_time=time_out(NOW),
        sale_end_time=time_out(NOW + DAY),
    )
    wanted.xp.update({"list": "autumn"})
    (made,) = await world.add(wanted)
    found = await world.schedules().GetPriceSchedule(pb.GetPriceScheduleRequest(price_schedule_id="s"))
    assert found.price_schedule == made
    assert [(b.quantity, b.price, b.HasField("sale_price")) for b in made.price_breaks] == [
        (1, usd("10"), False),
        (10, usd("8.5"), True),
    ]
    assert made.price_breaks[1].sale_price == usd("7.000001")
    for name in ("etag", "create_time", "update_time", "price_breaks"):
        made.ClearField(name)
        wanted.ClearField(name)
    assert made == wanted


async def test_everything_that_is_wrong_with_schedules_is_reported_at_once_and_nothing_is_stored(world):
    bad = schedule(
        "bad",
        (0, "1"),
        (1, "1"),
        (1, "2"),
        min_quantity=9,
        max_quantity=3,
        sale_start_time=time_out(NOW),
        sale_end_time=time_out(NOW),
    )
    bad.price_breaks.add(quantity=5)
    bad.price_breaks.add(quantity=6, price=Money(currency_code="USD", units=-1))
    bad.price_breaks.add(quantity=7, price=Money(currency_code="USD", nanos=1), sale_price=usd("1", "EUR"))
    with pytest.raises(WaybillError) as refused:
        await world.add(schedule("good", "1"), bad, schedule("empty"), schedule("odd", "1", currency="XXQ"))
    assert violations(refused) == sorted(
        [
            ("price_schedules[1].price_breaks[0].quantity", "VALUE_OUT_OF_RANGE"),
            ("price_schedules[1].price_breaks[2].quantity", "DUPLICATE_ITEM"),
            ("price_schedules[1].price_breaks[3].price", "FIELD_REQUIRED"),
            ("price_schedules[1].price_breaks[4].price", "AMOUNT_NEGATIVE"),
            ("price_schedules[1].price_breaks[5].price", "AMOUNT_TOO_PRECISE"),
            ("price_schedules[1].price_breaks[5].sale_price", "CURRENCY_MISMATCH"),
            ("price_schedules[1].max_quantity", "VALUE_OUT_OF_RANGE"),
            ("price_schedules[1].sale_end_time", "SALE_TIMES_REVERSED"),
            ("price_schedules[2].price_breaks", "FIELD_REQUIRED"),
            ("price_schedules[3].currency", "FIELD_INVALID"),
        ]
    )
    assert not (await world.schedules().ListPriceSchedules(pb.ListPriceSchedulesRequest())).price_schedules


async def test_too_many_breaks_are_refused(world):
    with pytest.raises(WaybillError) as refused:
        await world.add(schedule("s", *((i + 1, "1") for i in range(101))))
    assert ("price_schedules[0].price_breaks", "TOO_MANY_ITEMS") in violations(refused)


async def test_an_update_replaces_breaks_keeps_the_currency_and_minds_the_etag(world):
    await world.add(schedule("s", "10", min_quantity=2))

    async def update(mask, made):
        request = pb.UpdatePriceScheduleRequest(price_schedule=made, update_mask=FieldMask(paths=mask))
        return (await world.schedules().UpdatePriceSchedule(request)).price_schedule

    made = await update(["price_breaks"], schedule("s", "9", (5, "8"), etag="1"))
    assert [b.price for b in made.price_breaks] == [usd("9"), usd("8")]
    assert (made.min_quantity, made.etag) == (2, "2")
    for mask, wrong, reason in (
        (["name"], schedule("s", etag="1"), "ETAG_MISMATCH"),
        (["currency"], schedule("s", currency="EUR"), "FIELD_INVALID"),
        (["price_breaks"], schedule("s", "9", currency="EUR"), "CURRENCY_MISMATCH"),
        (["max_quantity"], schedule("s", max_quantity=1), "VALUE_OUT_OF_RANGE"),
    ):
        with pytest.raises(WaybillError) as refused:
            await update(mask, wrong)
        assert refused.value.reason == reason


async def test_an_assignment_is_replaced_ended_and_listed_by_product_and_buyer(world):
    await world.add(schedule("a", "1"), schedule("b", "2"))
    await world.assign(("p2", "", "a"), ("p1", "acme", "a"), ("p1", "", "a"))
    await world.assign(("p1", "acme", "b"), request_id="r1")
    everything = [("p1", "", "a"), ("p1", "acme", "b"), ("p2", "", "a")]
    assert await assignments(world) == (everything, "")
    first, token = await assignments(world, page_size=2)
    assert (first, await assignments(world, page_size=2, page_token=token)) == (everything[:2], (everything[2:], ""))
    assert (await assignments(world, filter='price_schedule_id = "a" AND buyer_id = ""'))[0] == [("p1", "", "a"), ("p2", "", "a")]
    got = await world.schedules().BatchGetPriceAssignments(pb.BatchGetPriceAssignmentsRequest(product_ids=["p1", "x"]))
    assert [(a.product_id, a.buyer_id) for a in got.assignments] == [("p1", ""), ("p1", "acme")]
    keys = [pb.PriceAssignmentKey(product_id="p1"), pb.PriceAssignmentKey(product_id="never")]
    for _ in range(2):
        await world.schedules().UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=keys, request_id="r2"))
    assert (await assignments(world))[0] == everything[1:]


async def test_a_repeated_request_does_not_undo_what_came_after_it(world):
    await world.add(schedule("a", "1"), schedule("b", "2"))
    await world.assign(("p", "", "a"), request_id="r1")
    await world.assign(("p", "", "b"))
    await world.assign(("p", "", "a"), request_id="r1")
    assert (await assignments(world))[0] == [("p", "", "b")]


async def test_wrong_assignments_are_reported_at_once_and_none_is_stored(world):
    await world.add(schedule("a", "1"))
    with pytest.raises(WaybillError) as unknown:
        await world.assign(("p", "", "a"), ("q", "", "lost"), request_id="r1")
    assert violations(unknown) == [("assignments[1].price_schedule_id", "PRICE_SCHEDULE_NOT_FOUND")]
    with pytest.raises(WaybillError) as wrong:
        await world.assign(("p", "", "a"), ("p", "", "a"), ("a b", "c\0", ""))
    assert violations(wrong) == [
        ("assignments[1]", "DUPLICATE_ITEM"),
        ("assignments[2].buyer_id", "ID_INVALID"),
        ("assignments[2].price_schedule_id", "FIELD_REQUIRED"),
        ("assignments[2].product_id", "ID_INVALID"),
    ]
    with pytest.raises(WaybillError) as many:
        await world.assign(*((f"p{i}", "", "a") for i in range(1_001)))
    assert violations(many) == [("assignments", "TOO_MANY_ITEMS")]
    with pytest.raises(WaybillError) as asked:
        await world.schedules().BatchGetPriceAssignments(pb.BatchGetPriceAssignmentsRequest(product_ids=["a\0"]))
    assert violations(asked) == [("product_ids[0]", "ID_INVALID")]
    assert (await assignments(world))[0] == []
    # A refused request leaves no trace: the same id may come again, put right.
    await world.assign(("p", "", "a"), request_id="r1")


async def test_assignments_at_once_in_opposite_order_all_come_through(world):
    await world.add(schedule("a", "1"))
    wanted = [(f"p{i}", "", "a") for i in range(50)]
    await asyncio.gather(*(world.assign(*(wanted if i % 2 else wanted[::-1])) for i in range(8)))
    assert len((await assignments(world, page_size=1_000))[0]) == 50


async def test_a_thousand_are_assigned_and_ended_in_as_many_statements_as_one(world):
    await world.add(*(schedule(f"s{i}", "1") for i in range(1_000)))

    async def statements(count):
        before = world.served.statements
        await world.assign(*((f"p{i}", "", f"s{i}") for i in range(count)), request_id=f"a{count}")
        keys = [pb.PriceAssignmentKey(product_id=f"p{i}") for i in range(count)]
        await world.schedules().UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=keys, request_id=f"u{count}"))
        return world.served.statements - before

    assert await statements(1) == await statements(1_000) == 10
    assert (await assignments(world))[0] == []


async def test_a_tax_rate_comes_back_as_it_is_kept(world):
    wanted = rate(
        "0.0725",
        id="la",
        name="LA",
        region="CA",
        postal_prefix="sw 1-a",
        tax_class="food",
        start_time=time_out(NOW),
        end_time=time_out(NOW + DAY),
    )
    (made,) = await world.tax(wanted)
    assert (await world.rates().GetTaxRate(rates_pb.GetTaxRateRequest(tax_rate_id="la"))).tax_rate == made
    wanted.postal_prefix = "SW1A"
    for name in ("etag", "create_time", "update_time"):
        made.ClearField(name)
    assert made == wanted
    page = await world.rates().ListTaxRates(rates_pb.ListTaxRatesRequest(filter='country = "US" AND region = "CA"'))
    assert [r.id for r in page.tax_rates] == ["la"]


async def test_wrong_tax_rates_are_reported_at_once(world):
    bad = rate("1.01", "usa", region="x" * 201, postal_prefix="9" * 21, start_time=time_out(NOW), end_time=time_out(NOW - DAY))
    with pytest.raises(WaybillError) as refused:
        await world.tax(rate("0.1"), bad, rate("-0.1", ""), rate("0.1", "DE", postal_prefix="ß" * 20))
    assert violations(refused) == [
        ("tax_rates[1].country", "FIELD_INVALID"),
        ("tax_rates[1].end_time", "TAX_TIMES_REVERSED"),
        ("tax_rates[1].postal_prefix", "VALUE_OUT_OF_RANGE"),
        ("tax_rates[1].rate", "VALUE_OUT_OF_RANGE"),
        ("tax_rates[1].region", "VALUE_OUT_OF_RANGE"),
        ("tax_rates[2].country", "FIELD_REQUIRED"),
        ("tax_rates[2].rate", "VALUE_OUT_OF_RANGE"),
        ("tax_rates[3].postal_prefix", "VALUE_OUT_OF_RANGE"),
    ]


async def test_a_tax_rate_is_changed_and_deleted(world):
    await world.tax(rate("0.1", id="us"))
    change = rates_pb.UpdateTaxRateRequest(tax_rate=rate("0.2", id="us", etag="1"), update_mask=FieldMask(paths=["rate"]))
    assert (await world.rates().UpdateTaxRate(change)).tax_rate.rate.value == "0.2"
    for _ in range(2):
        await world.rates().DeleteTaxRate(rates_pb.DeleteTaxRateRequest(tax_rate_id="us", request_id="r1"))
    with pytest.raises(WaybillError) as gone:
        await world.rates().DeleteTaxRate(rates_pb.DeleteTaxRateRequest(tax_rate_id="us"))
    assert gone.value.kind is Kind.MISSING


@pytest.mark.parametrize("caller", [buyer("FullAccess"), seller("OrderAdmin")])
async def test_schedules_and_rates_are_for_the_sellers_administrators(world, caller):
    schedules, rates = world.schedules(caller), world.rates(caller)
    for calling, role in (
        (schedules.CreatePriceSchedule(pb.CreatePriceScheduleRequest()), "PriceScheduleAdmin"),
        (schedules.BatchCreatePriceSchedules(pb.BatchCreatePriceSchedulesRequest()), "PriceScheduleAdmin"),
        (schedules.GetPriceSchedule(pb.GetPriceScheduleRequest(price_schedule_id="s")), "PriceScheduleAdmin"),
        (schedules.ListPriceSchedules(pb.ListPriceSchedulesRequest()), "PriceScheduleAdmin"),
        (schedules.UpdatePriceSchedule(pb.UpdatePriceScheduleRequest()), "PriceScheduleAdmin"),
        (schedules.AssignPriceSchedules(pb.AssignPriceSchedulesRequest()), "PriceScheduleAdmin"),
        (schedules.UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest()), "PriceScheduleAdmin"),
        (schedules.ListPriceAssignments(pb.ListPriceAssignmentsRequest()), "PriceScheduleAdmin"),
        (schedules.BatchGetPriceAssignments(pb.BatchGetPriceAssignmentsRequest()), "PriceScheduleAdmin"),
        (rates.CreateTaxRate(rates_pb.CreateTaxRateRequest()), "TaxRateAdmin"),
        (rates.BatchCreateTaxRates(rates_pb.BatchCreateTaxRatesRequest()), "TaxRateAdmin"),
        (rates.GetTaxRate(rates_pb.GetTaxRateRequest(tax_rate_id="t")), "TaxRateAdmin"),
        (rates.ListTaxRates(rates_pb.ListTaxRatesRequest()), "TaxRateAdmin"),
        (rates.UpdateTaxRate(rates_pb.UpdateTaxRateRequest()), "TaxRateAdmin"),
        (rates.DeleteTaxRate(rates_pb.DeleteTaxRateRequest(tax_rate_id="t")), "TaxRateAdmin"),
    ):
        with pytest.raises(WaybillError) as refused:
            await calling
        assert refused.value.reason == refusal_of(caller, role)[0]
