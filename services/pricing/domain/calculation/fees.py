"""Fees of an order: each is charged as it is given, and taxed by the rate of its own tax class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from libs.money import scale
from services.pricing.domain.calculation.line import LARGEST, Problem, too_large, unplaced
from services.pricing.domain.tax.exemptions import Exemptions
from services.pricing.domain.tax.rates import FEES, ZERO, Destination, Rates


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee to tax; micros of the order's currency, which has the amount."""

    id: str
    amount: int
    tax_class: str = FEES
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class PricedFee:
    """A fee with its tax."""

    id: str
    amount: int
    tax: int
    tax_rate: Decimal


def taxed_fees(
    fees: Sequence[Fee], destination: Destination | None, rates: Rates, exemptions: Exemptions, unit: int, must_know: bool
) -> tuple[tuple[PricedFee, ...], list[Problem]]:
    """Every fee with its tax, half up to the minor `unit`, and the problems. `must_know` refuses what is charged and has no
    destination. A buyer who is exempt from the tax of a fee's class pays none of it."""
    made: list[PricedFee] = []
    for fee in fees:
        rate = rate_of(fee.destination or destination, fee.tax_class, rates, exemptions)
        made.append(PricedFee(fee.id, fee.amount, scale(fee.amount, rate, unit) if rate else 0, rate))
    problems = [unplaced(fee_id=fee.id) for fee in fees if must_know and fee.amount and (fee.destination or destination) is None]
    if sum(fee.amount + fee.tax for fee in made) > LARGEST:
        problems.append(too_large("", "the order's fees come to more than 10^12 units of the currency"))
    return tuple(made), problems


def rate_of(place: Destination | None, tax_class: str, rates: Rates, exemptions: Exemptions) -> Decimal:
    """The rate that a fee of a class is taxed by: none for a buyer who is exempt from it."""
    return ZERO if exemptions.of(place, tax_class) else rates.rate(place, tax_class)
