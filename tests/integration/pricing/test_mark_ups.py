"""What chosen options add to a price, through the service."""

import pytest
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.errors import WaybillError
from tests.integration.pricing.world import line, usd
from tests.support.principals import buyer
from waybill.pricing.v1 import pricing_pb2
from waybill.pricing.v1 import pricing_service_pb2 as pb
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb
from waybill.type.v1.price_mark_up_pb2 import PriceMarkUp

AMOUNT_PER_QUANTITY = mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY
AMOUNT_TOTAL = mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_TOTAL
PERCENTAGE = mark_up_pb.PRICE_MARK_UP_TYPE_PERCENTAGE
NO_MARK_UP = mark_up_pb.PRICE_MARK_UP_TYPE_NO_MARK_UP


def marked(spec, type, *amounts, percentage=None):
    made = PriceMarkUp(type=type, amounts=amounts, percentage=Decimal(value=percentage) if percentage else None)
    return pricing_pb2.LineMarkUp(spec_id=spec, option_id="chosen", mark_up=made)


async def test_options_add_to_the_price_and_the_steps_say_what_and_how(world):
    await world.price("anvil", (1, "50"), (10, "40"))
    chosen = [
        marked("size", AMOUNT_PER_QUANTITY, usd("10.000001"), usd("9", "EUR")),
        marked("engraving", AMOUNT_TOTAL, usd("25")),
        marked("finish", PERCENTAGE, percentage="12.5"),
        marked("box", NO_MARK_UP),
    ]
    found = await world.calculate(
        line("l1", quantity=10, mark_ups=chosen), line("l2", unit_price_override=usd("7"), mark_ups=chosen)
    )
    first, second = found.lines
    assert (first.unit_price, first.line_mark_up, first.subtotal) == (usd("55.000001"), usd("25"), usd("575"))
    assert [(s.WhichOneof("source"), s.unit_amount, s.line_amount) for s in first.steps] == [
        ("schedule", usd("40"), Money()),
        ("mark_up", usd("10.000001"), Money()),
        ("mark_up", usd("0"), usd("25")),
        ("mark_up", usd("5"), Money()),
        ("mark_up", usd("0"), Money()),
    ]
    assert first.steps[0].schedule == pricing_pb2.SchedulePrice(price_schedule_id="anvil", break_quantity=10, counted_quantity=10)
    assert [s.mark_up.spec_id for s in first.steps[1:]] == ["size", "engraving", "finish", "box"]
    assert (first.steps[3].mark_up.type, first.steps[3].mark_up.percentage.value) == (PERCENTAGE, "12.5")
    assert [(s.WhichOneof("source"), s.unit_amount) for s in second.steps] == [("override", usd("7"))]
    assert second.subtotal == usd("7")


async def test_everything_that_is_wrong_with_mark_ups_is_reported_at_once(world):
    wrong = [
        line("l1", mark_ups=[marked("a b", 0), marked("size", AMOUNT_PER_QUANTITY, usd("-1"), usd("1"))]),
        line("l2", mark_ups=[marked("size", AMOUNT_TOTAL, usd("0.001"), percentage="1"), marked("size", 99)]),
        line("l3", mark_ups=[marked("size", PERCENTAGE, usd("1"), percentage="1000.1")]),
        line("l4", mark_ups=[marked(f"s{i}", NO_MARK_UP) for i in range(21)]),
    ]
    with pytest.raises(WaybillError) as refused:
        await world.pricing(buyer()).QuoteLines(pb.QuoteLinesRequest(currency="USD", lines=wrong))
    assert sorted((f.field, f.reason) for f in refused.value.fields) == [
        ("lines[0].mark_ups[0].mark_up.type", "FIELD_REQUIRED"),
        ("lines[0].mark_ups[0].spec_id", "ID_INVALID"),
        ("lines[0].mark_ups[1].mark_up.amounts[0]", "AMOUNT_NEGATIVE"),
        ("lines[0].mark_ups[1].mark_up.amounts[1]", "DUPLICATE_ITEM"),
        ("lines[1].mark_ups[0].mark_up.amounts[0]", "AMOUNT_TOO_PRECISE"),
        ("lines[1].mark_ups[0].mark_up.percentage", "FIELD_INVALID"),
        ("lines[1].mark_ups[1].mark_up.type", "FIELD_INVALID"),
        ("lines[1].mark_ups[1].spec_id", "DUPLICATE_ITEM"),
        ("lines[2].mark_ups[0].mark_up.amounts", "FIELD_INVALID"),
        ("lines[2].mark_ups[0].mark_up.percentage", "VALUE_OUT_OF_RANGE"),
        ("lines[3].mark_ups", "TOO_MANY_ITEMS"),
    ]


async def test_a_submit_is_refused_when_an_option_costs_something_else(world):
    await world.price("anvil", "50")
    asked = line("l1", mark_ups=[marked("engraving", AMOUNT_TOTAL, usd("25"))])
    shown = redemption_pb.ExpectedPrice(line_item_id="l1", unit_price=usd("50"), line_mark_up=usd("24"))
    assert await world.reserve(asked, expected_prices=[shown]) == ("UNSPECIFIED", [("l1", "PRICE_CHANGED")])
    shown.line_mark_up.CopyFrom(usd("25"))
    assert await world.reserve(asked, expected_prices=[shown]) == ("RESERVED", [])
