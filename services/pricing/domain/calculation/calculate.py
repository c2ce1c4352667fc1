"""Prices of a whole order: every stored part, so that totals are sums of parts.

Rounding is half up to the currency's minor unit, at the line's subtotal, its discounts and its tax, at the shipping cost,
its discounts and its tax, at the tax of a fee, and nowhere else. Tax comes on top of a price, or is included in it: what is
included is in the subtotal, so that totals have the same sums either way. A fee's comes on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.money import contained, minor_unit, round_half_up, scale, without
from services.pricing.domain.calculation.discounts import Discount, Override, fitted, off
from services.pricing.domain.calculation.fees import Fee, PricedFee, taxed_fees
from services.pricing.domain.calculation.line import LARGEST, Line, Problem, too_large, unplaced
from services.pricing.domain.calculation.unit_prices import LinePrice, cumulative, line_price
from services.pricing.domain.schedules.schedule import SchedulesByProduct
from services.pricing.domain.tax.exemptions import NONE, Exemption, Exemptions
from services.pricing.domain.tax.rates import SHIPPING, ZERO, Destination, Rates
from waybill.pricing.v1 import reasons

_UNITS = "more than 10^12 units of the currency"


@dataclass(frozen=True, slots=True)
class Shipment:
    """Shipping of one estimate. Of its discounts as much is taken as the cost allows, in this order."""

    id: str
    cost: int
    destination: Destination | None = None
    discounts: tuple[Discount, ...] = ()
    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What a line costs."""

    id: str
    price: LinePrice
    subtotal: int
    discounts: tuple[Discount, ...]
    tax: int
    tax_rate: Decimal
    included_tax: int = 0
    """What of the net is tax, where the price includes it."""

    @property
    def discount(self) -> int:
        """Sum of the discounts."""
        return off(self.discounts)


@dataclass(frozen=True, slots=True)
class PricedShipment:
    """Shipping cost with its discounts, and its tax on what they leave."""

    id: str
    cost: int
    discounts: tuple[Discount, ...]
    tax: int
    tax_rate: Decimal
    tax_included: bool = False
    included_tax: int = 0
    exempted_tax: int = 0
    """Tax that the cost as it was given included, and that came off it for an exempt buyer."""

    @property
    def discount(self) -> int:
        """Sum of the discounts."""
        return off(self.discounts)


@dataclass(frozen=True, slots=True)
class Calculation:
    """All parts of an order's amounts."""

    lines: tuple[PricedLine, ...]
    shipments: tuple[PricedShipment, ...]
    problems: tuple[Problem, ...]
    fees: tuple[PricedFee, ...] = ()


def calculate(
    currency: str,
    lines: Sequence[Line],
    shipments: Sequence[Shipment],
    destination: Destination | None,
    schedules: SchedulesByProduct,
    rates: Rates,
    now: datetime,
    must_know: bool = False,
    exemptions: Exemptions = NONE,
    fees: Sequence[Fee] = (),
) -> Calculation:
    """Prices every line and taxes it at its destination; then shipping, then fees. `schedules` are by product.

    `must_know` refuses what has no destination instead of taxing it at zero. `exemptions` are the buyer's: it pays prices without
    the tax that they include, and none on top.
    """
    unit = minor_unit(currency)
    quantities = cumulative(lines)
    priced: list[PricedLine] = []
    problems: list[Problem] = []
    room = LARGEST
    for line in lines:
        place = line.destination or destination
        price = line_price(line, currency, quantities, schedules, now)
        if not isinstance(price, Problem):
            price, rate = taxed(price, rates.rate(place, line.tax_class), exemptions.of(place, line.tax_class))
        made = _amounts(line, price, unit)
        if isinstance(made, Problem):
            problems.append(made)
            continue
        if must_know and place is None:
            problems.append(unplaced(line.id))
            continue
        price, subtotal, discounts = made
        tax, included = _taxes(subtotal - off(discounts), rate, price.tax_included, unit)
        if subtotal + tax > room:
            problems.append(too_large(line.id, f"the order's lines come to {_UNITS} with this one"))
            continue
        room -= subtotal + tax
        priced.append(PricedLine(line.id, price, subtotal, discounts, tax, rate, included))
    shipped, lost = _shipping(shipments, destination, rates, exemptions, unit, must_know)
    charged, wrong = taxed_fees(fees, destination, rates, exemptions, unit, must_know)
    return Calculation(tuple(priced), shipped, (*problems, *lost, *wrong), charged)


def _taxes(net: int, rate: Decimal, tax_included: bool, unit: int) -> tuple[int, int]:
    """Tax on top of what is left of a price after discounts, and tax that is included in it: at most one of them is there."""
    if not rate:
        return 0, 0
    return (0, contained(net, rate, unit)) if tax_included else (scale(net, rate, unit), 0)


def taxed(price: LinePrice, rate: Decimal, exemption: Exemption | None) -> tuple[LinePrice, Decimal]:
    """The price and the rate that hold for the buyer, who may be exempt."""
    return (price, rate) if exemption is None else (price.exempted(exemption, rate), ZERO)


def _amounts(line: Line, price: LinePrice | Problem, unit: int) -> tuple[LinePrice, int, tuple[Discount, ...]] | Problem:
    if isinstance(price, Problem):
        return price
    subtotal = round_half_up(price.unit * line.quantity + price.line, unit)
    discount = round_half_up(line.discount_override or 0, unit)
    if discount > subtotal:
        return Problem(line.id, reasons.DISCOUNT_ABOVE_SUBTOTAL, "the discount is above the line's subtotal")
    return price, subtotal, fitted([Discount(Override(), discount), *line.discounts], subtotal, unit)


def _shipping(
    shipments: Sequence[Shipment],
    destination: Destination | None,
    rates: Rates,
    exemptions: Exemptions,
    unit: int,
    must_know: bool,
) -> tuple[tuple[PricedShipment, ...], list[Problem]]:
    shipped = tuple(_ship(s, destination, rates, exemptions, unit) for s in shipments)
    problems: list[Problem] = []
    if must_know and destination is None:
        charged = [s for s, made in zip(shipments, shipped, strict=True) if made.cost > made.discount]
        problems += [unplaced(shipment_id=s.id) for s in charged if s.destination is None]
    if sum(s.cost + s.tax for s in shipped) > LARGEST:
        problems.append(too_large("", f"the order's shipping comes to {_UNITS}"))
    return shipped, problems


def _ship(shipment: Shipment, destination: Destination | None, rates: Rates, exemptions: Exemptions, unit: int) -> PricedShipment:
    place = shipment.destination or destination
    rate, cost, tax_included, exempted = rates.rate(place, SHIPPING), round_half_up(shipment.cost, unit), shipment.tax_included, 0
    if exemptions.of(place, SHIPPING) is not None:
        if rate and tax_included:
            tax_included, exempted = False, cost - without(cost, rate, unit)
        rate, cost = ZERO, cost - exempted
    discounts = fitted(shipment.discounts, cost, unit)
    tax, included = _taxes(cost - off(discounts), rate, tax_included, unit)
    return PricedShipment(shipment.id, cost, discounts, tax, rate, tax_included, included, exempted)
