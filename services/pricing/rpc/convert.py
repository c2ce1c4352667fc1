"""Between pricing's messages and values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from libs.errors import Violations, invalid
from libs.protoconv import currency_in, decimal_out, money_in, money_out
from services.pricing.domain.calculation import Line, PricedLine, PricedShipment, Problem, Shipment
from services.pricing.domain.tax import Destination
from waybill.pricing.v1 import pricing_service_pb2 as pb

MAX_LINES = 5_000


def destination_in(message: Any, field: str) -> Destination | None:
    """The part of an address that tax looks at."""
    if not message.HasField(field):
        return None
    address = getattr(message, field)
    return Destination(address.country, address.region, address.postal_code)


def lines_in(found: Violations, currency: str, messages: Sequence[pb.PricingLine]) -> list[Line]:
    """Checked lines."""
    currency_in(found, "currency", currency)
    if len(messages) > MAX_LINES:
        found.add("lines", "TOO_MANY_ITEMS", f"at most {MAX_LINES:,} lines")
        return []
    return [_line(found, currency, i, message) for i, message in enumerate(messages)]


def _line(found: Violations, currency: str, i: int, message: pb.PricingLine) -> Line:
    if not 1 <= message.quantity <= 1_000_000:
        found.add(f"lines[{i}].quantity", "VALUE_OUT_OF_RANGE", "must be 1 to 1,000,000")

    def amount(name: Literal["unit_price_override", "discount_override"]) -> int | None:
        if not message.HasField(name):
            return None
        return money_in(found, f"lines[{i}].{name}", getattr(message, name), currency)

    return Line(
        message.line_item_id, message.product_id, message.quantity, message.tax_class,
        amount("unit_price_override"), amount("discount_override"), destination_in(message, "destination"),
    )  # fmt: skip


def shipments_in(found: Violations, currency: str, messages: Sequence[pb.PricingShipment]) -> list[Shipment]:
    """Checked shipping."""
    return [
        Shipment(
            m.ship_estimate_id, money_in(found, f"shipments[{i}].cost", m.cost, currency),
            destination_in(m, "destination"),
        )
        for i, m in enumerate(messages)
    ]  # fmt: skip


def line_out(line: PricedLine, currency: str) -> pb.PricedLine:
    """A priced line."""
    return pb.PricedLine(
        line_item_id=line.id,
        unit_price=money_out(line.unit_price, currency),
        subtotal=money_out(line.subtotal, currency),
        discounts=[pb.LineDiscount(source=s, amount=money_out(a, currency)) for s, a in line.discounts],
        discount=money_out(line.discount, currency),
        tax=money_out(line.tax, currency),
        tax_rate=decimal_out(line.tax_rate),
        price_schedule_id=line.schedule_id,
        price_overridden=line.overridden,
        on_sale=line.on_sale,
    )


def shipment_out(shipment: PricedShipment, currency: str) -> pb.PricedShipment:
    """Shipping with its tax."""
    return pb.PricedShipment(
        ship_estimate_id=shipment.id,
        cost=money_out(shipment.cost, currency),
        tax=money_out(shipment.tax, currency),
        tax_rate=decimal_out(shipment.tax_rate),
    )


def problem_out(problem: Problem) -> pb.PricingProblem:
    """A problem."""
    return pb.PricingProblem(
        line_item_id=problem.line_id, reason=problem.reason, description=problem.description
    )


def key_in(text: str) -> uuid.UUID:
    """An order's internal key."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise invalid("order_key", "FIELD_INVALID", "is no internal key") from None


def state_out(state: str) -> pb.RedemptionState.ValueType:
    """A state by its name; empty is none."""
    return pb.RedemptionState.Value(f"REDEMPTION_STATE_{state or 'UNSPECIFIED'}")
