"""Discounts on a line's subtotal or on a shipping cost: what gave them, and how they fit what they are taken off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from libs.money import round_half_up


@dataclass(frozen=True, slots=True)
class Override:
    """A person set it by hand."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """A promotion that is on the order, and its code where that was entered."""

    promotion_id: str
    code: str = ""


Source = Override | Promoted
"""What gives a discount. Another kind is one more class here, joined by `|`."""


@dataclass(frozen=True, slots=True)
class Discount:
    """An amount off, in micros, and what gave it."""

    source: Source
    amount: int


def off(discounts: Iterable[Discount]) -> int:
    """Sum of the discounts."""
    return sum(discount.amount for discount in discounts)


def fitted(discounts: Sequence[Discount], price: int, unit: int) -> tuple[Discount, ...]:
    """The discounts as they are taken off a price, one after the other: each in whole units and never more than is left.

    What takes nothing off is no discount.
    """
    taken: list[Discount] = []
    for discount in discounts:
        amount = max(0, min(round_half_up(discount.amount, unit), price))
        if amount:
            taken.append(replace(discount, amount=amount))
            price -= amount
    return tuple(taken)
