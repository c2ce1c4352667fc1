"""Cost schedules: what the seller pays suppliers for a unit of a product."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from libs.errors import Violations
from services.pricing.domain.schedules.schedule import Schedule
from waybill.pricing.v1 import reasons

Spot = tuple[str, str, str]
"""A supplier, a product and a currency, which have one cost schedule at most."""
CostsByProduct = Mapping[tuple[str, str], Schedule]
"""Of one currency, by product and supplier."""


def check_first_break(found: Violations, where: str, breaks: Sequence[Sequence[int | None]]) -> None:
    """Every quantity has a cost."""
    if breaks:
        text = "the first break is for a quantity of 1"
        found.require(f"{where}.price_breaks", breaks[0][0] == 1, reasons.FIELD_INVALID, text)


def check_alone(found: Violations, items: Sequence[tuple[str, Spot]], standing: Collection[Spot]) -> None:
    """A supplier gets one cost schedule for a product in a currency."""
    seen = set(standing)
    for where, spot in items:
        supplier, product, currency = spot
        text = f"supplier {supplier!r} has a cost schedule for product {product!r} in {currency}"
        found.require(f"{where}.product_id", spot not in seen, reasons.COST_SCHEDULE_EXISTS, text)
        seen.add(spot)
