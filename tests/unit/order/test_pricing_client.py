"""What a submit compares is what was calculated, in whatever state the checkout is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from libs.protoconv import money_micros, money_out
from services.order.adapters.clients.pricing import PricingClient
from services.order.domain.checkout.quotes import Asked, Quote
from services.order.domain.checkout.worksheet import Estimate, LinePart, Method, Worksheet
from services.order.domain.discounts import Discount, Override, Promoted
from services.order.domain.model import Problem
from services.order.domain.price_steps import ByHand, FromSchedule, MarkedUp, PriceStep
from tests.unit.order.builders import NOW, line, order
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import pricing_pb2
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb

OVERRIDES = (None, 0, 5_000_000)
SELECTED = ((), (0,), (0, 1))


class Stub:
    """Prices every shipment at its cost and keeps what it is asked."""

    def __init__(self) -> None:
        self.compared: list[str] = []

    async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
        parts = [
            pricing_pb2.PricedShipment(ship_estimate_id=s.ship_estimate_id, cost=s.cost, tax=s.cost) for s in request.shipments
        ]
        return order_pb.CalculateOrderResponse(shipments=parts)

    async def ReserveRedemptions(
        self, request: redemption_pb.ReserveRedemptionsRequest
    ) -> redemption_pb.ReserveRedemptionsResponse:
        self.compared = [s.ship_estimate_id for s in request.expected_shipping]
        return redemption_pb.ReserveRedemptionsResponse()


def estimates(selected: tuple[int, ...]) -> tuple[Estimate, ...]:
    """Two, those of these numbers with a method."""
    method = Method("ground", "Ground", "swift", 1_000_000, 1, 2)
    plain = [Estimate(f"e{n}", "", "", ((f"l{n}", 1),), (method,), "line") for n in (0, 1)]
    return tuple(replace(e, selected_method_id="ground") if n in selected else e for n, e in enumerate(plain))


@pytest.mark.parametrize(
    ("own", "selected", "stale"), [*itertools.product(OVERRIDES, SELECTED, (False, True))], ids=lambda value: str(value)
)
async def test_every_shipping_that_was_calculated_can_be_compared(
    own: int | None, selected: tuple[int, ...], stale: bool
) -> None:
    stub = Stub()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    client = PricingClient(peers)
    wanted, lines = order(shipping_cost_override=own, estimated_version=0 if stale else 1), [line("l0"), line("l1")]
    sheet = Worksheet(estimates=estimates(selected))
    shipments = (await client.calculate(wanted, lines, sheet)).shipments
    await client.check_quote(wanted, lines, replace(sheet, shipments=shipments), 1, NOW)
    assert stub.compared == [part.ship_estimate_id for part in shipments if part.cost]


async def test_discounts_come_with_what_gave_them_and_what_they_take_off_wholly_is_not_compared() -> None:
    class Giving(Stub):
        async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
            answer = await super().CalculateOrder(request)
            amounts = [answer.shipments[0].cost, money_out(250_000, "USD")]
            for part, amount in zip(answer.shipments, amounts, strict=True):
                part.discounts.add(override=pricing_pb2.DiscountOverride(), amount=amount)
            given = pricing_pb2.PromotionDiscount(promotion_id="spring", code="SPRING")
            answer.shipments[1].discounts.add(promotion=given, amount=money_out(50_000, "USD"))
            return answer

    stub = Giving()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    client, lines, sheet = PricingClient(peers), [line("l0"), line("l1")], Worksheet(estimates=estimates((0, 1)))
    shipments = (await client.calculate(order(), lines, sheet)).shipments
    assert [s.discounts for s in shipments] == [
        (Discount(Override(), 1_000_000),),
        (Discount(Override(), 250_000), Discount(Promoted("spring", "SPRING"), 50_000)),
    ]
    assert [s.net for s in shipments] == [0, 700_000]
    await client.check_quote(order(), lines, replace(sheet, shipments=shipments), 1, NOW)
    assert stub.compared == ["e1"]


async def test_a_price_comes_with_its_steps_and_a_submit_compares_both_of_its_amounts() -> None:
    class Marking(Stub):
        async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
            answer = order_pb.CalculateOrderResponse()
            part = answer.lines.add(line_item_id="l0", unit_price=money_out(9, "USD"), line_mark_up=money_out(7, "USD"))
            part.tax_included, part.included_tax.units = True, 3
            part.steps.add(
                schedule=pricing_pb2.SchedulePrice(
                    price_schedule_id="ps", break_quantity=1, counted_quantity=2, on_sale=True, tax_included=True
                ),
                unit_amount=money_out(8, "USD"),
            )
            option = pricing_pb2.OptionMarkUp(spec_id="size", option_id="xl", type="PRICE_MARK_UP_TYPE_PERCENTAGE")
            option.percentage.value = "12.5"
            part.steps.add(mark_up=option, unit_amount=money_out(1, "USD"), line_amount=money_out(7, "USD"))
            answer.lines.add(line_item_id="l1").steps.add(override=pricing_pb2.PriceOverride(), unit_amount=money_out(5, "USD"))
            return answer

        async def ReserveRedemptions(
            self, request: redemption_pb.ReserveRedemptionsRequest
        ) -> redemption_pb.ReserveRedemptionsResponse:
            self.expected = list(request.expected_prices)
            return redemption_pb.ReserveRedemptionsResponse()

    stub = Marking()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    parts = (await PricingClient(peers).calculate(order(), [line("l0"), line("l1")], Worksheet())).lines
    assert [part.price_steps for part in parts] == [
        (PriceStep(FromSchedule("ps", 1, 2, True, True), 8), PriceStep(MarkedUp("size", "xl", "PERCENTAGE", "12.5"), 1, 7)),
        (PriceStep(ByHand(), 5),),
    ]
    assert [part.line_mark_up for part in parts] == [7, 0]
    assert [(part.tax_included, part.included_tax) for part in parts] == [(True, 3_000_000), (False, 0)]
    priced = replace(line("l0"), unit_price=9, line_mark_up=7, tax_included=True)
    shown = [priced, replace(line("l1"), unit_price_override=5, unit_price=5)]
    await PricingClient(peers).check_quote(order(), shown, Worksheet(), 1, NOW)
    compared = [(p.HasField("unit_price"), money_micros(p.line_mark_up), p.tax_included) for p in stub.expected]
    assert compared == [(True, 7, True), (False, 0, False)]


async def test_a_price_by_what_this_service_does_not_know_is_refused() -> None:
    class Giving(Stub):
        async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
            return order_pb.CalculateOrderResponse(lines=[pricing_pb2.PricedLine(steps=[pricing_pb2.PriceStep()])])

    stub = Giving()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    with pytest.raises(ValueError, match="does not know"):
        await PricingClient(peers).calculate(order(), [line()], Worksheet())


async def test_a_discount_by_what_this_service_does_not_know_is_refused() -> None:
    class Giving(Stub):
        async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
            return order_pb.CalculateOrderResponse(shipments=[pricing_pb2.PricedShipment(discounts=[pricing_pb2.Discount()])])

    stub = Giving()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    with pytest.raises(ValueError, match="does not know"):
        await PricingClient(peers).calculate(order(), [line()], Worksheet())


async def test_lines_of_an_order_that_is_built_are_priced_by_their_places_and_never_taxed() -> None:
    class Answering(Stub):
        async def CalculateOrder(self, request: order_pb.CalculateOrderRequest) -> order_pb.CalculateOrderResponse:
            self.asked = request
            answer = order_pb.CalculateOrderResponse(
                lines=[pricing_pb2.PricedLine(line_item_id="1", subtotal=money_out(8, "USD"))]
            )
            answer.problems.add(reason="PRICE_MISSING", context="pricing", subject="line_items[0]")
            return answer

    stub = Answering()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    wanted = [Asked("anvil", 2), Asked("lamp", 1, 5, 0)]
    quote = await PricingClient(peers).quote(order(), wanted)
    assert quote.asked == tuple(wanted)
    missing, priced = quote.answers
    assert isinstance(missing, Problem)
    assert isinstance(priced, LinePart)
    assert (missing.reason, priced.subtotal) == ("PRICE_MISSING", 8)
    assert (stub.asked.tax_overridden, len(stub.asked.shipments), stub.asked.buyer_id) == (True, 0, "acme")
    assert [line.HasField("unit_price_override") for line in stub.asked.lines] == [False, True]
    assert not any(line.HasField("destination") for line in stub.asked.lines)


async def test_nobody_is_asked_about_no_line() -> None:
    peers: Any = SimpleNamespace(stub=lambda *_: None)
    assert await PricingClient(peers).quote(order(), []) == Quote()
