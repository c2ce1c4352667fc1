"""Pricing, as the order service asks it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from libs.protoconv import decimal_out, instant, money_micros, money_out, time_out
from libs.rpc.peers import Peers
from services.order.adapters.clients.pricing_fees import expected_fees, fees_in, fees_out, place_out, rate_in
from services.order.application.peers import Priced, QuoteCheck
from services.order.contract.mark_ups import mark_up_out
from services.order.contract.problems import problem_in
from services.order.domain.checkout.amounts import Freight, charged
from services.order.domain.checkout.quotes import Asked, Quote, asked
from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import LineCost, LinePart, ShippingPart, Worksheet
from services.order.domain.discounts import Discount, Override, Promoted, Source
from services.order.domain.model import Line, Order, Problem
from services.order.domain.price_steps import ByHand, Exempted, FromSchedule, MarkedUp, PriceStep
from services.order.domain.price_steps import Source as StepSource
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import order_pricing_service_pb2_grpc as order_grpc
from waybill.pricing.v1 import pricing_pb2
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.pricing.v1 import redemption_service_pb2_grpc as redemption_grpc
from waybill.type.v1.price_mark_up_pb2 import PriceMarkUpType
from waybill.type.v1.tax_exemption_pb2 import TaxExemption


class PricingClient:
    """CalculateOrder and the first wave's price check."""

    def __init__(self, peers: Peers) -> None:
        self._orders: Any = peers.stub("pricing", order_grpc.OrderPricingServiceStub)
        self._redemptions: Any = peers.stub("pricing", redemption_grpc.RedemptionServiceStub)

    async def calculate(self, order: Order, lines: Sequence[Line], worksheet: Worksheet) -> Priced:
        """Every part of the amounts, or all problems."""
        cur, places = order.currency, Places(order, lines, worksheet.plan)
        answer: order_pb.CalculateOrderResponse = await self._orders.CalculateOrder(
            order_pb.CalculateOrderRequest(
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                currency=cur,
                lines=[_line(line, cur, places) for line in lines],
                shipments=[_shipment(freight, cur) for freight in charged(order, lines, worksheet)],
                tax_overridden=order.tax_override is not None,
                tax_exemptions=_exemptions(order),
                fees=fees_out(order, places),
            )
        )
        return Priced(
            tuple(_line_part(p) for p in answer.lines),
            tuple(_shipping_part(s) for s in answer.shipments),
            instant(answer.price_time),
            _costs(answer.costs),
            [problem_in(p) for p in answer.problems],
            fees_in(order, answer.fees),
        )

    async def quote(self, order: Order, lines: Sequence[Asked]) -> Quote:
        """Prices of lines, which are known by their places here: new ones have no ids yet."""
        if not lines:
            return Quote()
        answer: order_pb.CalculateOrderResponse = await self._orders.CalculateOrder(
            order_pb.CalculateOrderRequest(
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                currency=order.currency,
                lines=[_asked(str(i), line, order.currency) for i, line in enumerate(lines)],
                # Nothing is taxed before a calculation, which knows where.
                tax_overridden=True,
            )
        )
        answers: dict[str, LinePart | Problem] = {f"line_items[{p.line_item_id}]": _line_part(p) for p in answer.lines}
        answers |= {p.subject: problem_in(p) for p in answer.problems}
        return Quote(tuple(lines), tuple(answers[f"line_items[{i}]"] for i in range(len(lines))))

    async def check_quote(
        self, order: Order, lines: Sequence[Line], worksheet: Worksheet, attempt: int, deadline: datetime
    ) -> QuoteCheck:
        """Whether the prices and tax rates on the order still hold, and the costs as they are now; an amount that was overridden
        asks for none.

        Nothing is redeemed yet, so nothing is left behind.
        """
        cur, taxed = order.currency, order.tax_override is None
        places = Places(order, lines, worksheet.plan)
        answer: redemption_pb.ReserveRedemptionsResponse = await self._redemptions.ReserveRedemptions(
            redemption_pb.ReserveRedemptionsRequest(
                order_key=str(order.key),
                attempt=attempt,
                deadline=time_out(deadline),
                validate_only=True,
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                currency=cur,
                lines=[_line(line, cur, places) for line in lines],
                expected_prices=[
                    redemption_pb.ExpectedPrice(
                        line_item_id=line.id,
                        unit_price=money_out(line.unit_price, cur) if line.unit_price_override is None else None,
                        line_mark_up=money_out(line.line_mark_up, cur) if line.line_mark_up else None,
                        tax_rate=decimal_out(line.tax_rate) if taxed else None,
                        tax_included=line.tax_included,
                    )
                    for line in lines
                ],
                expected_shipping=_expected_shipping(order, lines, worksheet) if taxed else (),
                tax_exemptions=_exemptions(order),
                expected_fees=expected_fees(order, places) if taxed else (),
            )
        )
        return QuoteCheck([problem_in(p) for p in answer.problems], _costs(answer.costs))


def _exemptions(order: Order) -> list[TaxExemption]:
    return [
        TaxExemption(
            country=one.country,
            tax_class=one.tax_class,
            certificate_id=one.certificate_id,
            start_time=time_out(one.start),
            end_time=time_out(one.end),
        )
        for one in order.tax_exemptions
    ]


def _line(line: Line, currency: str, places: Places) -> pricing_pb2.PricingLine:
    made = _asked(line.id, asked(line), currency)
    made.tax_class = line.product.tax_class
    made.supplier_ids.extend(dict.fromkeys(id for id in (line.product.default_supplier_id, *line.product.supplier_ids) if id))
    if place := place_out(places.of_line(line)):
        made.destination.CopyFrom(place)
    return made


def _asked(id: str, line: Asked, currency: str) -> pricing_pb2.PricingLine:
    def amount(value: int | None) -> Any:
        return None if value is None else money_out(value, currency)

    return pricing_pb2.PricingLine(
        line_item_id=id,
        product_id=line.product_id,
        quantity=line.quantity,
        variant_id=line.variant_id,
        unit_price_override=amount(line.unit_price_override),
        discount_override=amount(line.discount_override),
        mark_ups=[
            pricing_pb2.LineMarkUp(
                spec_id=m.spec_id, option_id=m.option_id, mark_up=mark_up_out(m.mark_up), defines_variant=m.defines_variant
            )
            for m in line.mark_ups
        ],
    )


def _shipment(freight: Freight, currency: str) -> order_pb.PricingShipment:
    return order_pb.PricingShipment(
        ship_estimate_id=freight.ship_estimate_id,
        cost=money_out(freight.cost, currency),
        destination=place_out(freight.destination),
        tax_included=freight.tax_included,
    )


def _expected_shipping(order: Order, lines: Sequence[Line], worksheet: Worksheet) -> list[redemption_pb.ExpectedShipping]:
    """Each estimate's shipping where it goes; what costs nothing bears no tax, whatever its rate."""
    going = {freight.ship_estimate_id: freight.destination for freight in charged(order, lines, worksheet)}
    return [
        redemption_pb.ExpectedShipping(
            ship_estimate_id=part.ship_estimate_id,
            destination=place_out(going[part.ship_estimate_id]),
            tax_rate=decimal_out(part.tax_rate),
        )
        for part in worksheet.shipments
        if part.net
    ]


def _costs(messages: Iterable[pricing_pb2.LineCost]) -> tuple[LineCost, ...]:
    return tuple(LineCost(m.line_item_id, m.supplier_id, money_micros(m.unit_cost)) for m in messages)


def _line_part(p: pricing_pb2.PricedLine) -> LinePart:
    return LinePart(
        line_item_id=p.line_item_id,
        unit_price=money_micros(p.unit_price),
        subtotal=money_micros(p.subtotal),
        discounts=_discounts(p.discounts),
        discount=money_micros(p.discount),
        tax=money_micros(p.tax),
        tax_rate=rate_in(p.tax_rate.value),
        price_schedule_id=p.price_schedule_id,
        price_overridden=p.price_overridden,
        on_sale=p.on_sale,
        line_mark_up=money_micros(p.line_mark_up),
        price_steps=tuple(_price_step(step) for step in p.steps),
        tax_included=p.tax_included,
        included_tax=money_micros(p.included_tax),
    )


def _price_step(m: pricing_pb2.PriceStep) -> PriceStep:
    return PriceStep(_price_source(m), money_micros(m.unit_amount), money_micros(m.line_amount))


def _price_source(m: pricing_pb2.PriceStep) -> StepSource:
    match m.WhichOneof("source"):
        case "schedule":
            taken = m.schedule
            return FromSchedule(
                taken.price_schedule_id, taken.break_quantity, taken.counted_quantity, taken.on_sale, taken.tax_included
            )
        case "mark_up":
            type = PriceMarkUpType.Name(m.mark_up.type).removeprefix("PRICE_MARK_UP_TYPE_")
            return MarkedUp(m.mark_up.spec_id, m.mark_up.option_id, type, m.mark_up.percentage.value)
        case "override":
            return ByHand(m.override.tax_included)
        case "exemption":
            return Exempted(m.exemption.certificate_id, m.exemption.tax_rate.value)
        case other:
            raise ValueError(f"pricing gave a price by {other}, which this service does not know")


def _shipping_part(s: pricing_pb2.PricedShipment) -> ShippingPart:
    return ShippingPart(
        ship_estimate_id=s.ship_estimate_id,
        cost=money_micros(s.cost),
        tax=money_micros(s.tax),
        tax_rate=rate_in(s.tax_rate.value),
        discounts=_discounts(s.discounts),
        tax_included=s.tax_included,
        included_tax=money_micros(s.included_tax),
        exempted_tax=money_micros(s.exempted_tax),
    )


def _discounts(messages: Iterable[pricing_pb2.Discount]) -> tuple[Discount, ...]:
    return tuple(Discount(_source(m), money_micros(m.amount)) for m in messages)


def _source(message: pricing_pb2.Discount) -> Source:
    match message.WhichOneof("source"):
        case "override":
            return Override()
        case "promotion":
            return Promoted(message.promotion.promotion_id, message.promotion.code)
        case other:
            raise ValueError(f"pricing gave a discount by {other}, which this service does not know")
