"""Price schedules: which price of a schedule a quantity gets.

Breaks, minimum, maximum, restricted and cumulative quantities follow the seed's price schedules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.errors import Violations
from waybill.pricing.v1 import reasons


@dataclass(frozen=True, slots=True)
class Break:
    """The price of one unit from a quantity on; micros."""

    quantity: int
    price: int
    sale_price: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Prices of a product by quantity. `breaks` are ordered by quantity."""

    id: str
    currency: str
    breaks: tuple[Break, ...]
    min_quantity: int = 0
    max_quantity: int = 0
    cumulative: bool = False
    restricted: bool = False
    sale_start: datetime | None = None
    sale_end: datetime | None = None
    owner: str = ""
    """The supplier that has made it; empty for the seller."""
    tax_included: bool = False
    """Whether its prices include their tax."""

    def on_sale(self, now: datetime) -> bool:
        """Whether sale prices hold; a missing bound is open."""
        return (self.sale_start is None or self.sale_start <= now) and (self.sale_end is None or now < self.sale_end)


SchedulesByProduct = Mapping[str, Sequence[Schedule]]
"""Those that hold for each product, and for each variant that has its own, by `article`: one, or one for each group that has its
own, in the order of their ids."""


def article(product_id: str, variant_id: str = "") -> str:
    """The key of what is priced by itself: a product, or a variant of it. Ids have no slash."""
    return f"{product_id}/{variant_id}" if variant_id else product_id


@dataclass(frozen=True, slots=True)
class Price:
    """What a schedule says about a quantity."""

    unit: int
    on_sale: bool
    break_quantity: int
    """Quantity of the break that it is of."""


def price_at(schedule: Schedule, quantity: int, now: datetime) -> Price | tuple[reasons.ReasonName, str]:
    """The price, or (reason, rule in words)."""
    if schedule.min_quantity and quantity < schedule.min_quantity:
        return reasons.QUANTITY_BELOW_MINIMUM, f"at least {schedule.min_quantity} units, not {quantity}"
    if schedule.max_quantity and quantity > schedule.max_quantity:
        return reasons.QUANTITY_ABOVE_MAXIMUM, f"at most {schedule.max_quantity} units, not {quantity}"
    chosen = None
    for step in schedule.breaks:
        if step.quantity > quantity:
            break
        chosen = step
    if chosen is None:
        return reasons.QUANTITY_BELOW_MINIMUM, f"at least {schedule.breaks[0].quantity} units, not {quantity}"
    if schedule.restricted and chosen.quantity != quantity:
        allowed = ", ".join(str(step.quantity) for step in schedule.breaks)
        return reasons.QUANTITY_NOT_ALLOWED, f"only quantities of {allowed}, not {quantity}"
    if chosen.sale_price is not None and schedule.on_sale(now):
        return Price(chosen.sale_price, True, chosen.quantity)
    return Price(chosen.price, False, chosen.quantity)


def misordered(breaks: Sequence[Break]) -> bool:
    """Whether breaks as they are stored cannot be: none at all, not ascending, a negative price."""
    quantities = [step.quantity for step in breaks]
    return (
        not breaks
        or quantities[0] < 1
        or quantities != sorted(set(quantities))
        or any(step.price < 0 or (step.sale_price or 0) < 0 for step in breaks)
    )


def check_quantities(found: Violations, where: str, low: int, high: int) -> None:
    """The least quantity is not above the greatest; a greatest of zero is none."""
    found.require(f"{where}.max_quantity", not high or low <= high, reasons.VALUE_OUT_OF_RANGE, "is below min_quantity")


def check_sale(found: Violations, where: str, start: datetime | None, end: datetime | None) -> None:
    """A sale that has both ends after it begins."""
    found.require(
        f"{where}.sale_end_time", not (start and end) or start < end, reasons.SALE_TIMES_REVERSED, "a sale ends after it begins"
    )
