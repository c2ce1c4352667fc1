"""What shipped units of a supplier order are worth, and those that never will ship: docs/decisions.md, "Units have no rows".

Shipped units are taken from the front of a line and canceled ones from its back, so that what is due for the shipped and
what is given back for the canceled always add up to what was sold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from libs.money import between, minor_unit
from services.fulfillment.domain.supplier_orders.splitting import follow_parts, freighted
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, ShipSelection, SupplierOrder


@dataclass(frozen=True, slots=True)
class Amounts:
    """Micros of the order's currency."""

    subtotal: int = 0
    discount: int = 0
    shipping_cost: int = 0
    tax: int = 0
    included_tax: int = 0
    """What of them is tax that prices include."""

    @property
    def total(self) -> int:
        """Subtotal less discount plus shipping cost plus tax."""
        return self.subtotal - self.discount + self.shipping_cost + self.tax

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.subtotal + other.subtotal,
            self.discount + other.discount,
            self.shipping_cost + other.shipping_cost,
            self.tax + other.tax,
            self.included_tax + other.included_tax,
        )


def canceled(order: SupplierOrder) -> Amounts:
    """What the canceled units of a supplier order were sold for.

    The shipping of an estimate is given back when all its units are canceled and none of them had left; so is freight that no
    method was chosen for, with its tax, when that holds of all that is shipped. Where cost or tax was set for the whole order,
    it is shared as its parts would have been.
    """
    return _worth(order, {line.line_item_id: line.quantity - line.canceled for line in order.lines})


def given_up(orders: Iterable[SupplierOrder]) -> Amounts:
    """The same of all supplier orders of an order, once their open units are canceled as well."""
    sums = Amounts()
    for order in orders:
        sums += _worth(order, {line.line_item_id: line.shipped for line in order.lines})
    return sums


def shipped(order: SupplierOrder) -> int:
    """What is due for the units that have shipped: all of it, less what the others were sold for.

    So what is due and what is given back add up to the total, in whatever pieces the units leave.
    """
    kept = {line.line_item_id: line.shipped for line in order.lines}
    return order.total - _worth(order, kept).total if any(kept.values()) else 0


def _worth(order: SupplierOrder, kept: Mapping[str, int]) -> Amounts:
    """What all but the first `kept` units of each line were sold for."""
    if not any(kept.values()):
        return Amounts(order.subtotal, order.discount, order.shipping_cost, order.tax, order.included_tax)
    unit = minor_unit(order.currency)
    goods = [_beyond(line, kept[line.line_item_id], unit) for line in order.lines]
    goods_kept = any(kept[line_id] for line_id in freighted(order.lines))
    ended = [*(_ends(order, at, kept) for at in range(len(order.selections))), not goods_kept]
    costs = _freight(order, unit)
    taxes = follow_parts(
        order.tax,
        [line.tax for line in order.lines] + [s.tax for s in order.selections] + [0],
        # What no part has is the tax of the freight that no estimate has, or was set for the whole order.
        [0 if costs[-1] else line.subtotal for line in order.lines] + [0] * len(order.selections) + [costs[-1]],
        unit,
    )
    of_lines, of_shipping = taxes[: len(order.lines)], taxes[len(order.lines) :]
    return Amounts(
        subtotal=sum(subtotal for subtotal, _ in goods),
        discount=sum(discount for _, discount in goods),
        shipping_cost=sum(cost for cost, over in zip(costs, ended, strict=True) if over),
        tax=sum(
            between(tax, line.quantity, kept[line.line_item_id], line.quantity, unit)
            for line, tax in zip(order.lines, of_lines, strict=True)
        )
        + sum(tax for tax, over in zip(of_shipping, ended, strict=True) if over),
        included_tax=sum(
            between(line.included_tax, line.quantity, kept[line.line_item_id], line.quantity, unit) for line in order.lines
        )
        + sum(s.included_tax for s, over in zip(order.selections, ended[:-1], strict=True) if over),
    )


def _beyond(line: OrderLine, kept: int, unit: int) -> tuple[int, int]:
    """Subtotal and discount of the units after the first `kept`: net and discount are shared, the gross follows."""
    net = between(line.subtotal - line.discount, line.quantity, kept, line.quantity, unit)
    discount = between(line.discount, line.quantity, kept, line.quantity, unit)
    return net + discount, discount


def _freight(order: SupplierOrder, unit: int) -> tuple[int, ...]:
    """What each estimate costs, and last what no estimate has. A cost that was set for the whole order is shared in the
    proportion of the estimates.
    """
    costs = [s.cost for s in order.selections]
    return follow_parts(order.shipping_cost, [*costs, 0], [1] * len(costs) + [not costs], unit)


def _ends(order: SupplierOrder, at: int, kept: Mapping[str, int]) -> bool:
    """Whether no unit of the estimate is kept. Of a line in several estimates the earlier ones hold its front."""
    units = {line.line_item_id: line.quantity for line in order.lines if line.quantity}
    begins = [
        (item.line_item_id, min(_before(order.selections[:at], item.line_item_id), units[item.line_item_id] - 1))
        for item in order.selections[at].items
        if item.line_item_id in units
    ]
    return bool(begins) and all(kept[line_item_id] <= first for line_item_id, first in begins)


def _before(earlier: Iterable[ShipSelection], line_item_id: str) -> int:
    return sum(item.quantity for s in earlier for item in s.items if item.line_item_id == line_item_id)
