"""How the price of a line came about, step by step. The kinds of steps are those of pricing, which decides the amounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FromSchedule:
    """A price schedule's price of the break that the counted quantity reached."""

    schedule_id: str
    break_quantity: int
    counted_quantity: int
    on_sale: bool
    tax_included: bool = False
    """Whether the schedule's prices include their tax."""


@dataclass(frozen=True, slots=True)
class MarkedUp:
    """A chosen option added to it. `type` is a name of waybill.type.v1.PriceMarkUpType without its prefix."""

    spec_id: str
    option_id: str
    type: str
    percentage: str = ""
    """Per cent, where it is counted so."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person set it: it is the line's `unit_price_override`."""

    tax_included: bool = False
    """Whether it includes its tax, as the prices of the schedule do that it stands in for."""


@dataclass(frozen=True, slots=True)
class Exempted:
    """The tax that the price included came off, for a buyer that is exempt from it."""

    certificate_id: str
    tax_rate: str


Source = FromSchedule | MarkedUp | ByHand | Exempted


@dataclass(frozen=True, slots=True)
class PriceStep:
    """What one step adds to the price of a unit, and once to the line; micros of the order's currency."""

    source: Source
    unit: int
    line: int = 0


def per_unit(steps: Iterable[PriceStep]) -> int:
    """The price of one unit."""
    return sum(step.unit for step in steps)


def per_line(steps: Iterable[PriceStep]) -> int:
    """What is asked once for the line."""
    return sum(step.line for step in steps)
