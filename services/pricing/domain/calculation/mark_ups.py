"""What the options that a line chose add to its price.

The four kinds are the field's: nothing, an amount for each unit, an amount once for the line, a part of the base price. The
base is the price schedule's price of one unit, so that the order of mark-ups changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from libs.money import scale


class MarkUpType(StrEnum):
    """How a mark-up is counted."""

    NO_MARK_UP = "NO_MARK_UP"
    AMOUNT_PER_QUANTITY = "AMOUNT_PER_QUANTITY"
    AMOUNT_TOTAL = "AMOUNT_TOTAL"
    PERCENTAGE = "PERCENTAGE"


@dataclass(frozen=True, slots=True)
class MarkUp:
    """A mark-up and the choice that it comes from. `amounts` are micros by currency; `percentage` is in per cent."""

    spec_id: str
    option_id: str
    type: MarkUpType
    amounts: Mapping[str, int] = field(default_factory=dict)
    percentage: Decimal = Decimal(0)
    defines_variant: bool = False
    """Whether its option is part of the variant, whose own price holds it."""

    def lacks(self, currency: str) -> bool:
        """Whether it is an amount, and has none in the currency."""
        return self.type in (MarkUpType.AMOUNT_PER_QUANTITY, MarkUpType.AMOUNT_TOTAL) and currency not in self.amounts


@dataclass(frozen=True, slots=True)
class Added:
    """What one mark-up adds to each unit, and once to the line; micros."""

    unit: int = 0
    line: int = 0


def added(mark_up: MarkUp, base: int, currency: str) -> Added:
    """What the mark-up adds to a base price of one unit. An amount must exist in the currency: see `MarkUp.lacks`."""
    match mark_up.type:
        case MarkUpType.AMOUNT_PER_QUANTITY:
            return Added(unit=mark_up.amounts[currency])
        case MarkUpType.AMOUNT_TOTAL:
            return Added(line=mark_up.amounts[currency])
        case MarkUpType.PERCENTAGE:
            return Added(unit=scale(base, mark_up.percentage / 100, 1))
        case MarkUpType.NO_MARK_UP:
            return Added()
