"""The price of one unit of a line, and the steps in which it came about: schedule, break, mark-ups; or an override alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.money import without
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.calculation.mark_ups import MarkUp, added
from services.pricing.domain.schedules.schedule import Price, Schedule, SchedulesByProduct, article, price_at
from services.pricing.domain.tax.exemptions import Exemption
from waybill.pricing.v1 import reasons


@dataclass(frozen=True, slots=True)
class FromSchedule:
    """A schedule's price of the break that the counted quantity reaches."""

    schedule_id: str
    break_quantity: int
    counted_quantity: int
    on_sale: bool
    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person set the unit price. It includes its tax where the prices of the schedule do that it stands in for."""

    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class Exempted:
    """The tax that the price included comes off, for a buyer that is exempt from it."""

    certificate_id: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """One step: where it comes from, what it adds to a unit and what it adds once to the line; micros."""

    source: FromSchedule | MarkUp | ByHand | Exempted
    unit: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class LinePrice:
    """The price of a line before discounts, as the sum of its steps."""

    steps: tuple[Step, ...]

    @property
    def unit(self) -> int:
        """Micros for one unit."""
        return sum(step.unit for step in self.steps)

    @property
    def line(self) -> int:
        """Micros once for the line."""
        return sum(step.line for step in self.steps)

    @property
    def schedule(self) -> FromSchedule | None:
        """The schedule that it starts from; none where it was set by hand."""
        source = self.steps[0].source
        return source if isinstance(source, FromSchedule) else None

    @property
    def tax_included(self) -> bool:
        """Whether it includes its tax: as it began, unless that came off."""
        source = self.steps[0].source
        stated = isinstance(source, FromSchedule | ByHand) and source.tax_included
        return stated and not isinstance(self.steps[-1].source, Exempted)

    def exempted(self, exemption: Exemption, rate: Decimal) -> LinePrice:
        """The price for a buyer that is exempt: each amount without the tax that it includes, rounded half up to the micro."""
        if not (rate and self.tax_included):
            return self
        off = [without(amount, rate, 1) - amount for amount in (self.unit, self.line)]
        return LinePrice((*self.steps, Step(Exempted(exemption.certificate_id, rate), *off)))


def cumulative(lines: Sequence[Line]) -> dict[str, int]:
    """Units of each product on all lines together, and of each variant."""
    sums: dict[str, int] = {}
    for line in lines:
        for key in {line.product_id, article(line.product_id, line.variant_id)}:
            sums[key] = sums.get(key, 0) + line.quantity
    return sums


def line_price(
    line: Line, currency: str, quantities: Mapping[str, int], schedules: SchedulesByProduct, now: datetime
) -> LinePrice | Problem:
    """The line's price. An override takes no mark-up, and of the schedule only whether its prices include their tax: of one that
    has no price for the quantity, too. A variant with schedules of its own asks these alone, and takes no mark-up of an option
    that makes it.

    Where several schedules hold, the lowest price that any of them has for the quantity does; of equal ones the first id.
    """
    priced, mark_ups = line.product_id, line.mark_ups
    if line.variant_id and schedules.get(own := article(line.product_id, line.variant_id)):
        priced, mark_ups = own, tuple(mark_up for mark_up in mark_ups if not mark_up.defines_variant)
    holding = schedules.get(priced, ())
    scheduled = _scheduled(line, currency, quantities[priced], holding, now)
    if line.unit_price_override is not None:
        included = any(s.tax_included for s in holding[:1]) if isinstance(scheduled, Problem) else scheduled[1].tax_included
        return LinePrice((Step(ByHand(included), line.unit_price_override),))
    if isinstance(scheduled, Problem):
        return scheduled
    base, source = scheduled
    for mark_up in mark_ups:
        if mark_up.lacks(currency):
            text = f"option {mark_up.option_id} of {mark_up.spec_id} has no mark-up in {currency}"
            return Problem(line.id, reasons.CURRENCY_MISMATCH, text)
    steps = [Step(source, base.unit)]
    for mark_up in mark_ups:
        more = added(mark_up, base.unit, currency)
        steps.append(Step(mark_up, more.unit, more.line))
    return LinePrice(tuple(steps))


def _scheduled(
    line: Line, currency: str, counted: int, holding: Sequence[Schedule], now: datetime
) -> tuple[Price, FromSchedule] | Problem:
    if not holding:
        return Problem(line.id, reasons.PRICE_MISSING, f"product {line.product_id} has no price for this buyer")
    found = [_price_by(schedule, line, currency, counted, now) for schedule in holding]
    prices = [one for one in found if not isinstance(one, Problem)]
    if not prices:
        # At least one schedule holds, so that all of them gave a problem.
        return next(one for one in found if isinstance(one, Problem))
    return min(prices, key=lambda one: (one[0].unit, one[1].schedule_id))


def _price_by(schedule: Schedule, line: Line, currency: str, counted: int, now: datetime) -> tuple[Price, FromSchedule] | Problem:
    if schedule.currency != currency:
        return Problem(line.id, reasons.CURRENCY_MISMATCH, f"its prices are in {schedule.currency}, not {currency}")
    effective = counted if schedule.cumulative else line.quantity
    price = price_at(schedule, effective, now)
    if isinstance(price, tuple):
        return Problem(line.id, *price)
    return price, FromSchedule(schedule.id, price.break_quantity, effective, price.on_sale, schedule.tax_included)
