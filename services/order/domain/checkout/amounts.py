"""Amounts of an order as sums of stored parts. Derived values come from here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.money import apportion, minor_unit
from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import Estimate, LinePart, ShippingPart, Worksheet
from services.order.domain.fees import Fee, fee_tax, fee_total
from services.order.domain.model import Address, Line, Order


@dataclass(frozen=True, slots=True)
class Totals:
    """Micros of the order's currency: what is calculated. total = subtotal - discount + shipping cost + tax + fees.

    The discount is that of the lines; the shipping cost is what the discounts on shipping leave; the tax is that of all of them.
    The included tax is a part of what lines and shipping cost.
    """

    subtotal: int
    discount: int
    shipping_cost: int
    tax: int
    included_tax: int = 0
    fees: int = 0

    @property
    def total(self) -> int:
        """What the buyer pays, but for a gratuity."""
        return self.subtotal - self.discount + self.shipping_cost + self.tax + self.fees


@dataclass(frozen=True, slots=True)
class Freight:
    """Shipping that is charged, and taxed where it goes; without a destination nobody knows where."""

    ship_estimate_id: str
    cost: int
    destination: Address | None = None
    tax_included: bool = False


def charged(order: Order, lines: Sequence[Line], worksheet: Worksheet) -> list[Freight]:
    """The shipping of an order as it stands: what a calculation prices, and what a submit compares with that.

    Only current estimates with a method selected have a price. A change of any of them stales the calculation, so that
    both ask this about the same.
    """
    chosen = [e for e in worksheet.estimates if e.selected is not None] if order.estimated else []
    return freights(order, chosen, Places(order, lines, worksheet.plan))


def freights(order: Order, estimates: Sequence[Estimate], places: Places) -> list[Freight]:
    """What each estimate's shipping costs: its method, or its share of a cost that was set for the whole order.

    Such a cost is shared in proportion to the methods' costs, and each share includes its tax where the method's cost does. Where
    no method is selected it stands alone, without an estimate, and tax comes on top.
    """
    costs = [0 if e.selected is None else e.selected.cost for e in estimates]
    own = order.shipping_cost_override
    if own is not None and not estimates:
        return [Freight("", own, places.of_order())] if own else []
    if own is not None:
        costs = list(apportion(own, costs, minor_unit(order.currency)))
    return [
        Freight(e.id, cost, places.of_estimate(e), e.selected is not None and e.selected.tax_included)
        for e, cost in zip(estimates, costs, strict=True)
    ]


def with_own_tax(
    order: Order, lines: Sequence[LinePart], shipments: Sequence[ShippingPart], fees: Sequence[Fee] = ()
) -> tuple[tuple[LinePart, ...], tuple[ShippingPart, ...], tuple[Fee, ...]]:
    """The parts with the tax that was set for the whole order in place of their own, as they are without one.

    It is shared in proportion to what was calculated, or to what is taxed where nothing was. Every amount of the order
    stays the sum of its parts. It comes on top: what prices include stays as it is.
    """
    own = order.tax_override
    parts: Sequence[LinePart | ShippingPart | Fee] = (*lines, *shipments, *fees)
    if own is None or not parts:
        return tuple(lines), tuple(shipments), tuple(fees)
    taxes = [p.tax for p in parts]
    bases = [p.subtotal - p.discount for p in lines] + [s.net for s in shipments] + [f.amount for f in fees]
    shares = iter(apportion(own, taxes if any(taxes) else bases, minor_unit(order.currency)))
    return (
        tuple(replace(p, tax=next(shares)) for p in lines),
        tuple(replace(s, tax=next(shares)) for s in shipments),
        tuple(replace(f, tax=next(shares)) for f in fees),
    )


def totals(lines: Sequence[LinePart], shipments: Sequence[ShippingPart], fees: Sequence[Fee] = ()) -> Totals:
    """Sums the parts. What was set for the whole order is in them: see `freights` and `with_own_tax`."""
    return Totals(
        subtotal=sum(p.subtotal for p in lines),
        discount=sum(p.discount for p in lines),
        shipping_cost=sum(s.net for s in shipments),
        tax=sum(p.tax for p in lines) + sum(s.tax for s in shipments) + fee_tax(fees),
        included_tax=sum(p.included_tax for p in lines) + sum(s.included_tax for s in shipments),
        fees=fee_total(fees),
    )


def priced(lines: Sequence[Line], parts: Sequence[LinePart]) -> tuple[Line, ...]:
    """The lines with the amounts of their parts."""
    by_id = {p.line_item_id: p for p in parts}
    return tuple(with_part(line, by_id[line.id]) for line in lines)


def with_part(line: Line, part: LinePart) -> Line:
    """The line with the amounts of a part."""
    return replace(
        line,
        unit_price=part.unit_price,
        subtotal=part.subtotal,
        discount=part.discount,
        discounts=part.discounts,
        tax=part.tax,
        tax_rate=part.tax_rate,
        price_schedule_id=part.price_schedule_id,
        line_mark_up=part.line_mark_up,
        price_steps=part.price_steps,
        tax_included=part.tax_included,
        included_tax=part.included_tax,
    )


def with_gratuity(order: Order, gratuity: int) -> Order:
    """The order with this gratuity. Nothing is calculated from it: amounts that are current stay so."""
    return replace(order, gratuity=gratuity, total=order.total - order.gratuity + gratuity)


def with_fees(order: Order, fees: Sequence[Fee]) -> Order:
    """The order with other fees, which are in its total at once and are taxed by the next calculation: until then no amount is
    current. Estimates stay, as nothing of a fee travels."""
    tax = order.tax - order.fee_tax
    total = order.total - order.fee_total - order.fee_tax + fee_total(fees)
    return replace(order, fees=tuple(fees), tax=tax, total=total, calculated_version=0)


def with_totals(order: Order, sums: Totals) -> Order:
    """The order with these amounts, calculated as it stands. The sums are also those of its fees."""
    return replace(
        order,
        subtotal=sums.subtotal,
        discount=sums.discount,
        shipping_cost=sums.shipping_cost,
        tax=sums.tax,
        included_tax=sums.included_tax,
        total=sums.total + order.gratuity,
        calculated_version=order.content_version,
    )
