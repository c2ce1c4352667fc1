"""The cost side of supplier orders: what the seller pays their suppliers. Amounts are micros.

Nothing but the cost of a unit is kept of a line: what its units cost follows from how many they are.
"""

from __future__ import annotations

from dataclasses import replace

from libs.money import between, minor_unit, round_half_up
from services.fulfillment.domain.sourcing.model import Costs
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder


def costed(order: SupplierOrder, costs: Costs) -> SupplierOrder:
    """The supplier order with the costs that its supplier has."""
    if not costs and not has_costs(order):
        return order
    lines = tuple(replace(line, unit_cost=costs.get(line.line_item_id, {}).get(order.supplier_id)) for line in order.lines)
    return replace(order, lines=lines)


def line_cost(line: OrderLine, currency: str) -> int | None:
    """Unit cost times quantity, rounded half up; None for a line without a cost."""
    return None if line.unit_cost is None else round_half_up(line.unit_cost * line.quantity, minor_unit(currency))


def has_costs(order: SupplierOrder) -> bool:
    """Whether there is a cost side: a line has a cost. One whose units were moved keeps it."""
    return any(line.unit_cost is not None for line in order.lines)


def cost(order: SupplierOrder) -> int | None:
    """Sum of the lines' costs; None without a cost side."""
    return sum(line_cost(line, order.currency) or 0 for line in order.lines) if has_costs(order) else None


def payable(order: SupplierOrder) -> int | None:
    """The cost of the units that are not canceled, which are at the front of their line; None without a cost side."""
    if not has_costs(order):
        return None
    unit = minor_unit(order.currency)
    return sum(_kept(line, line_cost(line, order.currency) or 0, unit) for line in order.lines)


def commission(order: SupplierOrder) -> int | None:
    """What the seller keeps of the units that are not canceled: their net, without tax that is in it, less what they cost. Net
    and tax are those that are left of the line when what was canceled is given back. Lines without a cost do not count. None
    without a cost side.
    """
    due = payable(order)
    if due is None:
        return None
    unit = minor_unit(order.currency)
    lines = [line for line in order.lines if line.unit_cost is not None]
    net = sum(_kept(line, line.subtotal - line.discount, unit) for line in lines)
    return net - sum(_kept(line, line.included_tax, unit) for line in lines) - due


def _kept(line: OrderLine, amount: int, unit: int) -> int:
    """The share of the units that are not canceled."""
    return between(amount, line.quantity, 0, line.quantity - line.canceled, unit) if line.quantity else 0
