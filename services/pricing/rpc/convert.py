"""Between pricing's messages and values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal, assert_never

from libs.errors import Violations
from libs.protoconv import currency_in, decimal_in, decimal_out, money_in, money_micros, money_out, text_in, time_in
from services.pricing.application.calculation.reserve_redemptions import Attempt
from services.pricing.domain.calculation.calculate import PricedLine, PricedShipment, Shipment
from services.pricing.domain.calculation.discounts import Discount, Override, Promoted
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.calculation.quote import Quote, QuotedPrice, QuotedShipping
from services.pricing.domain.schedules.assignment import Assignment
from services.pricing.rpc.convert_fees import quoted_fees_in
from services.pricing.rpc.convert_places import destination_in
from services.pricing.rpc.convert_prices import mark_ups_in, step_out
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import price_schedule_service_pb2 as schedule_pb
from waybill.pricing.v1 import pricing_pb2, reasons
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.type.v1 import problem_pb2

MAX_LINES = 5_000
"""Lines of an order, and its estimates."""
MAX_QUANTITY = 1_000_000


def lines_in(found: Violations, request: Any, costed: bool = False) -> list[Line]:
    """Checked lines of a request; its buyer, user and currency are checked too. `costed` ones name the suppliers whose costs
    are asked for."""
    messages, currency = request.lines, request.currency
    found.check_id("buyer_id", request.buyer_id, required=False)
    found.check_id("user_id", request.user_id, required=False)
    currency_in(found, "currency", currency)
    if len(messages) > MAX_LINES:
        found.add("lines", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} lines")
        return []
    lines = [_line(found, currency, i, message, costed) for i, message in enumerate(messages)]
    if len({line.id for line in lines}) < len(lines):
        seen: set[str] = set()
        for i, line in enumerate(lines):
            found.require(f"lines[{i}].line_item_id", line.id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(line.id)
    return lines


def _line(found: Violations, currency: str, i: int, message: pricing_pb2.PricingLine, costed: bool) -> Line:
    where = f"lines[{i}]"
    found.check_id(f"{where}.line_item_id", message.line_item_id)
    found.check_id(f"{where}.product_id", message.product_id)
    found.check_id(f"{where}.variant_id", message.variant_id, required=False)
    text_in(found, f"{where}.tax_class", message.tax_class, 100)
    if not 1 <= message.quantity <= MAX_QUANTITY:
        found.add(f"{where}.quantity", reasons.VALUE_OUT_OF_RANGE, f"must be 1 to {MAX_QUANTITY:,}")

    def amount(name: Literal["unit_price_override", "discount_override"]) -> int | None:
        if not message.HasField(name):
            return None
        return money_in(found, f"{where}.{name}", getattr(message, name), currency, finer=name == "unit_price_override")

    return Line(
        id=message.line_item_id,
        product_id=message.product_id,
        quantity=message.quantity,
        tax_class=message.tax_class,
        unit_price_override=amount("unit_price_override"),
        discount_override=amount("discount_override"),
        destination=destination_in(message, "destination"),
        mark_ups=mark_ups_in(found, f"{where}.mark_ups", message.mark_ups) if message.mark_ups else (),
        supplier_ids=tuple(message.supplier_ids) if costed else (),
        variant_id=message.variant_id,
    )


def quote_in(found: Violations, request: redemption_pb.ReserveRedemptionsRequest) -> Quote:
    """What the order was quoted at."""
    if len(request.expected_shipping) > MAX_LINES:
        found.add("expected_shipping", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} estimates")
        return Quote()
    return Quote(
        {
            p.line_item_id: QuotedPrice(money_micros(p.unit_price), money_micros(p.line_mark_up), p.tax_included)
            for p in request.expected_prices
            if p.HasField("unit_price")
        },
        {
            p.line_item_id: decimal_in(found, f"expected_prices[{i}].tax_rate", p.tax_rate)
            for i, p in enumerate(request.expected_prices)
            if p.HasField("tax_rate")
        },
        [
            QuotedShipping(
                s.ship_estimate_id,
                decimal_in(found, f"expected_shipping[{i}].tax_rate", s.tax_rate),
                destination_in(s, "destination"),
            )
            for i, s in enumerate(request.expected_shipping)
        ],
        destination_in(request, "destination"),
        quoted_fees_in(found, request.expected_fees),
    )


def shipments_in(found: Violations, currency: str, messages: Sequence[order_pb.PricingShipment]) -> list[Shipment]:
    """Checked shipping."""
    if len(messages) > MAX_LINES:
        found.add("shipments", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} estimates")
        return []
    return [
        Shipment(
            m.ship_estimate_id,
            money_in(found, f"shipments[{i}].cost", m.cost, currency),
            destination_in(m, "destination"),
            tax_included=m.tax_included,
        )
        for i, m in enumerate(messages)
    ]


def line_out(line: PricedLine, currency: str) -> pricing_pb2.PricedLine:
    """A priced line."""
    schedule = line.price.schedule
    return pricing_pb2.PricedLine(
        line_item_id=line.id,
        unit_price=money_out(line.price.unit, currency),
        line_mark_up=money_out(line.price.line, currency),
        steps=[step_out(step, currency) for step in line.price.steps],
        subtotal=money_out(line.subtotal, currency),
        discounts=[_discount(d, currency) for d in line.discounts],
        discount=money_out(line.discount, currency),
        tax=money_out(line.tax, currency),
        tax_rate=decimal_out(line.tax_rate),
        price_schedule_id="" if schedule is None else schedule.schedule_id,
        price_overridden=schedule is None,
        on_sale=schedule is not None and schedule.on_sale,
        tax_included=line.price.tax_included,
        included_tax=money_out(line.included_tax, currency),
    )


def shipment_out(shipment: PricedShipment, currency: str) -> pricing_pb2.PricedShipment:
    """Shipping with its discounts and its tax."""
    return pricing_pb2.PricedShipment(
        ship_estimate_id=shipment.id,
        cost=money_out(shipment.cost, currency),
        discounts=[_discount(d, currency) for d in shipment.discounts],
        discount=money_out(shipment.discount, currency),
        tax=money_out(shipment.tax, currency),
        tax_rate=decimal_out(shipment.tax_rate),
        tax_included=shipment.tax_included,
        included_tax=money_out(shipment.included_tax, currency),
        exempted_tax=money_out(shipment.exempted_tax, currency),
    )


def _discount(discount: Discount, currency: str) -> pricing_pb2.Discount:
    made = pricing_pb2.Discount(amount=money_out(discount.amount, currency))
    match discount.source:
        case Override():
            made.override.SetInParent()
        case Promoted(promotion_id, code):
            made.promotion.promotion_id, made.promotion.code = promotion_id, code
        case _ as unreachable:
            assert_never(unreachable)
    return made


def problem_out(problem: Problem) -> problem_pb2.Problem:
    """A problem."""
    subject = f"line_items[{problem.line_id}]" if problem.line_id else "order"
    if problem.shipment_id:
        subject = f"ship_estimates[{problem.shipment_id}]"
    if problem.fee_id:
        subject = f"fees[{problem.fee_id}]"
    if problem.promotion_id:
        subject = f"promotions[{problem.promotion_id}]"
    return problem_pb2.Problem(
        reason=problem.reason, context="pricing", subject=subject, description=problem.description, contended=problem.contended
    )


def assignment_out(assignment: Assignment) -> schedule_pb.PriceAssignment:
    """An assignment."""
    return schedule_pb.PriceAssignment(
        product_id=assignment.key.product_id,
        buyer_id=assignment.key.buyer_id,
        user_group_id=assignment.key.group_id,
        variant_id=assignment.key.variant_id,
        price_schedule_id=assignment.schedule_id,
    )


def step_in(request: Any) -> tuple[uuid.UUID, int]:
    """The order's internal key and the attempt, which name a step of submit."""
    found = Violations()
    step = _step(found, request)
    found.raise_if_any()
    return step


def order_key_in(request: Any) -> uuid.UUID:
    """The order's internal key."""
    found = Violations()
    key = _key(found, request)
    found.raise_if_any()
    return key


def attempt_in(found: Violations, request: redemption_pb.ReserveRedemptionsRequest) -> Attempt:
    """A try and its deadline; a check leaves nothing that could expire, so it needs none."""
    key, number = _step(found, request)
    if not request.validate_only and not request.HasField("deadline"):
        found.add("deadline", reasons.FIELD_REQUIRED, "is required")
    return Attempt(key, number, time_in(found, "deadline", request.deadline), request.validate_only)


def _step(found: Violations, request: Any) -> tuple[uuid.UUID, int]:
    found.require("attempt", request.attempt >= 1, reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")
    return _key(found, request), request.attempt


def _key(found: Violations, request: Any) -> uuid.UUID:
    try:
        return uuid.UUID(request.order_key)
    except ValueError:
        found.add("order_key", reasons.FIELD_INVALID, "is no internal key")
        return uuid.UUID(int=0)


def state_out(state: str) -> redemption_pb.RedemptionState.ValueType:
    """A state by its name; empty is none."""
    return redemption_pb.RedemptionState.Value(f"REDEMPTION_STATE_{state or 'UNSPECIFIED'}")
