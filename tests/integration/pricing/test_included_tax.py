"""Prices that include their tax, through the service."""

from __future__ import annotations

from tests.integration.pricing.world import World, line, rate, schedule, usd
from tests.support.principals import buyer
from waybill.pricing.v1 import price_schedule_service_pb2 as schedules_pb
from waybill.pricing.v1 import pricing_service_pb2 as pb
from waybill.pricing.v1 import product_price_service_pb2 as prices_pb
from waybill.pricing.v1 import product_price_service_pb2_grpc as prices_grpc
from waybill.pricing.v1.order_pricing_service_pb2 import PricingShipment
from waybill.pricing.v1.redemption_service_pb2 import ExpectedPrice


async def test_a_schedule_says_that_its_prices_include_their_tax_and_calculations_quotes_and_offers_do(world: World) -> None:
    await world.price("with", "119", tax_included=True)
    await world.price("on_top", "100")
    await world.tax(rate("0.19"), rate("0.19", tax_class="shipping"))
    by_hand = line("l3", "with", unit_price_override=usd("59.50"))
    freight = [PricingShipment(ship_estimate_id=id, cost=usd("11.90"), tax_included=id == "e1") for id in ("e1", "e2")]
    found = await world.calculate(line("l1", "with"), line("l2", "on_top"), by_hand, shipments=freight)
    assert [(x.subtotal, x.tax, x.tax_included, x.included_tax) for x in found.lines] == [
        (usd("119"), usd("0"), True, usd("19")),
        (usd("100"), usd("19"), False, usd("0")),
        (usd("59.50"), usd("0"), True, usd("9.50")),
    ]
    assert [x.steps[0].schedule.tax_included for x in found.lines] == [True, False, False]
    assert found.lines[2].steps[0].override.tax_included
    assert [(s.tax, s.tax_included, s.included_tax) for s in found.shipments] == [
        (usd("0"), True, usd("1.90")),
        (usd("2.26"), False, usd("0")),
    ]
    quoted = await world.pricing(buyer()).QuoteLines(
        pb.QuoteLinesRequest(currency="USD", lines=[line("l1", "with"), line("l2", "on_top")])
    )
    assert [x.tax_included for x in quoted.lines] == [True, False]
    offers = world.served.service_stub(prices_grpc.ProductPriceServiceStub, "catalog", buyer())
    asked = prices_pb.BatchGetProductPricesRequest(buyer_id="acme", currency="USD", product_ids=["with", "on_top"])
    prices = (await offers.BatchGetProductPrices(asked)).prices
    assert [(p.tax_included, p.terms[0].tax_included) for p in prices] == [(True, True), (False, False)]


async def test_a_submit_is_refused_once_a_price_includes_its_tax(world: World) -> None:
    await world.price("anvil", "10")
    await world.tax(rate("0.19"))
    lines = [line("l1"), line("l2", unit_price_override=usd("5"))]
    shown = [ExpectedPrice(line_item_id="l1", unit_price=usd("10"))]
    assert await world.reserve(*lines, expected_prices=shown) == ("RESERVED", [])
    changed = schedules_pb.UpdatePriceScheduleRequest(price_schedule=schedule("anvil", tax_included=True))
    changed.update_mask.paths.append("tax_included")
    await world.schedules().UpdatePriceSchedule(changed)
    assert await world.reserve(*lines, attempt=2, expected_prices=shown) == ("UNSPECIFIED", [("l1", "PRICE_CHANGED")])
    shown[0].tax_included = True
    assert await world.reserve(*lines, attempt=2, expected_prices=shown) == ("RESERVED", [])
