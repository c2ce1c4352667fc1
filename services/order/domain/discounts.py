"""What is taken off a price, and what gave it. The kinds of sources are those of pricing, which decides the amounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Override:
    """A person set it by hand: it is the line's `discount_override`."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """A promotion that is on the order, and its code where that was entered."""

    promotion_id: str
    code: str = ""


Source = Override | Promoted
"""What gives a discount. Another kind is one more class here, joined by `|`."""


@dataclass(frozen=True, slots=True)
class Discount:
    """An amount off, in micros of the order's currency, and what gave it."""

    source: Source
    amount: int


def off(discounts: Iterable[Discount]) -> int:
    """Sum of the discounts."""
    return sum(discount.amount for discount in discounts)
