"""What a group costs by its weight."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from libs.money import minor_unit
from services.shipping.domain.zones import Zone

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
"""Weights and prices have at most 36 digits each; sums and products of them are exact in this many."""


MAX_WEIGHT = Decimal(1_000_000_000)
"""Kilograms."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """The price up to a total weight in kilograms, inclusive; None is any weight. Amounts in micros."""

    up_to: Decimal | None
    price: int
    per_kg: int = 0


@dataclass(frozen=True, slots=True)
class RateTable:
    """Prices of one method to one zone in one currency, rows from light to heavy. Lead times in seconds."""

    id: str
    zone: Zone
    currency: str
    rows: tuple[RateRow, ...]
    handling: int = 0
    lead_times: tuple[int, int] | None = None
    tax_included: bool = False
    """Whether its prices include their tax."""

    def price(self, weight: Decimal) -> int | None:
        """Micros for a group of this weight, rounded half up to the minor unit; None when it is too heavy."""
        for row in self.rows:
            if row.up_to is None or weight <= row.up_to:
                return self._price(row, weight)
        return None

    def _price(self, row: RateRow, weight: Decimal) -> int:
        unit = minor_unit(self.currency)
        by_weight = EXACT.multiply(Decimal(row.per_kg), weight)
        exact = EXACT.add(Decimal(row.price + self.handling), by_weight)
        # Dividing by the unit is exact: it is a power of ten.
        return int(EXACT.quantize(EXACT.divide(exact, Decimal(unit)), Decimal(1))) * unit


def misordered(bounds: list[Decimal | None]) -> list[int]:
    """Positions of rows that do not weigh more than the one before, or are open though not the last."""
    wrong: list[int] = []
    before = Decimal(0)
    for i, bound in enumerate(bounds):
        if bound is None:
            if i < len(bounds) - 1:
                wrong.append(i)
            continue
        if bound <= before:
            wrong.append(i)
        before = max(before, bound)
    return wrong
