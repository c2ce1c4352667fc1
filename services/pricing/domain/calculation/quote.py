"""Whether what an order was quoted at still holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from services.pricing.domain.calculation.calculate import taxed
from services.pricing.domain.calculation.fees import rate_of
from services.pricing.domain.calculation.line import Line, Problem, unplaced
from services.pricing.domain.calculation.unit_prices import cumulative, line_price
from services.pricing.domain.schedules.schedule import SchedulesByProduct
from services.pricing.domain.tax.exemptions import NONE, Exemptions
from services.pricing.domain.tax.rates import FEES, SHIPPING, ZERO, Destination, Rates, class_key
from waybill.pricing.v1 import reasons


@dataclass(frozen=True, slots=True)
class QuotedShipping:
    """Shipping of one estimate; without a destination it goes where the order goes."""

    id: str
    tax_rate: Decimal
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class QuotedFee:
    """A fee; without a destination it is taxed where the order goes."""

    id: str
    tax_rate: Decimal
    tax_class: str = FEES
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class QuotedPrice:
    """What a line was quoted at: for each unit, and once for the line, micros; and whether that included its tax."""

    unit: int
    line: int = 0
    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What the order was worked out from, and must still hold; what is not in it is not checked."""

    prices: Mapping[str, QuotedPrice] = field(default_factory=dict)
    """By line."""
    tax_rates: Mapping[str, Decimal] = field(default_factory=dict)
    """Tax rates by line."""
    shipping: Sequence[QuotedShipping] = ()
    destination: Destination | None = None
    """Where the order goes: lines, shipping and fees without a destination of their own."""
    fees: Sequence[QuotedFee] = ()

    def taxed(self, lines: Sequence[Line], all: bool = False) -> tuple[set[Destination], set[str]]:
        """The places and classes whose rates it takes to check: of `all` lines where rates decide prices, too."""
        mine = [line for line in lines if all or line.id in self.tax_rates]
        places = {line.destination or self.destination for line in mine}
        classes = {class_key(line.tax_class) for line in mine}
        if self.shipping:
            places |= {shipping.destination or self.destination for shipping in self.shipping}
            classes |= {SHIPPING}
        places |= {fee.destination or self.destination for fee in self.fees}
        classes |= {class_key(fee.tax_class) for fee in self.fees}
        return {place for place in places if place is not None}, classes

    def unplaced(self, lines: Sequence[Line]) -> tuple[set[str], set[str], set[str]]:
        """Ids of the lines, of the shipping and of the fees that are to be taxed nobody knows where."""
        if self.destination is not None:
            return set(), set(), set()
        return (
            {line.id for line in lines if line.id in self.tax_rates and line.destination is None},
            {shipping.id for shipping in self.shipping if shipping.destination is None},
            {fee.id for fee in self.fees if fee.destination is None},
        )


def changed(
    currency: str,
    lines: Sequence[Line],
    quote: Quote,
    schedules: SchedulesByProduct,
    rates: Rates,
    now: datetime,
    must_know: bool = False,
    exemptions: Exemptions = NONE,
) -> list[Problem]:
    """Lines whose price or tax rate is not the quoted one any more, lines without a price, shipping and fees that are taxed
    otherwise.

    `must_know` refuses what has no destination. `exemptions` are the buyer's.
    """
    quantities = cumulative(lines)
    problems: list[Problem] = []
    lost, lost_shipping, lost_fees = quote.unplaced(lines) if must_know else (set[str](), set[str](), set[str]())
    for line in lines:
        place = line.destination or quote.destination
        priced, rate = line_price(line, currency, quantities, schedules, now), rates.rate(place, line.tax_class)
        exempt = exemptions.of(place, line.tax_class)
        if not isinstance(priced, Problem):
            priced, _ = taxed(priced, rate, exempt)
        if isinstance(priced, Problem):
            problems.append(priced)
        elif (held := QuotedPrice(priced.unit, priced.line, priced.tax_included)) != quote.prices.get(line.id, held):
            problems.append(Problem(line.id, reasons.PRICE_CHANGED, f"product {line.product_id} costs something else by now"))
        if line.id in lost:
            problems.append(unplaced(line.id))
            continue
        quoted = quote.tax_rates.get(line.id)
        if quoted is not None and quoted != (ZERO if exempt else rate):
            problems.append(Problem(line.id, reasons.TAX_CHANGED, f"product {line.product_id} is taxed otherwise by now"))
    for shipping in quote.shipping:
        if shipping.id in lost_shipping:
            problems.append(unplaced(shipment_id=shipping.id))
        elif shipping.tax_rate != _freight_rate(shipping.destination or quote.destination, rates, exemptions):
            problems.append(Problem("", reasons.TAX_CHANGED, "its shipping is taxed otherwise by now", shipping.id))
    return problems + _changed_fees(quote, rates, exemptions, lost_fees)


def _changed_fees(quote: Quote, rates: Rates, exemptions: Exemptions, lost: Collection[str]) -> list[Problem]:
    problems = [unplaced(fee_id=fee.id) for fee in quote.fees if fee.id in lost]
    for fee in quote.fees:
        place = fee.destination or quote.destination
        if fee.id not in lost and fee.tax_rate != rate_of(place, fee.tax_class, rates, exemptions):
            problems.append(Problem("", reasons.TAX_CHANGED, "the fee is taxed otherwise by now", fee_id=fee.id))
    return problems


def _freight_rate(place: Destination | None, rates: Rates, exemptions: Exemptions) -> Decimal:
    return ZERO if exemptions.of(place, SHIPPING) else rates.rate(place, SHIPPING)
