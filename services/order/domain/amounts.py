"""Amounts of an order as sums of stored parts. Derived values come from here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.order.domain.model import Line, Order
from services.order.domain.worksheet import LinePart, ShippingPart


@dataclass(frozen=True, slots=True)
class Totals:
    """Micros of the order's currency. total = subtotal - discount + shipping cost + tax."""

    subtotal: int
    discount: int
    shipping_cost: int
    tax: int

    @property
    def total(self) -> int:
        """What the buyer pays."""
        return self.subtotal - self.discount + self.shipping_cost + self.tax


def totals(order: Order, lines: Sequence[LinePart], shipments: Sequence[ShippingPart]) -> Totals:
    """Sums the parts; an override of shipping cost or tax takes the place of the sum it overrides."""
    shipping = sum(s.cost for s in shipments)
    tax = sum(p.tax for p in lines) + sum(s.tax for s in shipments)
    return Totals(
        subtotal=sum(p.subtotal for p in lines),
        discount=sum(p.discount for p in lines),
        shipping_cost=shipping if order.shipping_cost_override is None else order.shipping_cost_override,
        tax=tax if order.tax_override is None else order.tax_override,
    )


def priced(lines: Sequence[Line], parts: Sequence[LinePart]) -> tuple[Line, ...]:
    """The lines with the amounts of their parts."""
    by_id = {p.line_item_id: p for p in parts}
    return tuple(_priced(line, by_id[line.id]) for line in lines)


def _priced(line: Line, part: LinePart) -> Line:
    return replace(
        line,
        unit_price=part.unit_price,
        subtotal=part.subtotal,
        discount=part.discount,
        tax=part.tax,
        tax_rate=part.tax_rate,
        price_schedule_id=part.price_schedule_id,
    )


def with_totals(order: Order, sums: Totals) -> Order:
    """The order with these amounts, calculated as it stands."""
    return replace(
        order,
        subtotal=sums.subtotal,
        discount=sums.discount,
        shipping_cost=sums.shipping_cost,
        tax=sums.tax,
        total=sums.total,
        calculated_version=order.content_version,
    )
