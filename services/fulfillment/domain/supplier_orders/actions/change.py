"""What an action leaves to be stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.fulfillment.domain.stock.ledger import Movement
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, derived
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder

NewKey = Callable[[], UUID]
"""Makes internal keys."""


@dataclass(frozen=True, slots=True)
class Change:
    """Supplier orders that changed, supplier orders that came to be, and what that does to stock."""

    changed: tuple[SupplierOrder, ...] = ()
    created: tuple[SupplierOrder, ...] = ()
    movements: tuple[Movement, ...] = ()


def touched(order: SupplierOrder, now: datetime) -> SupplierOrder:
    """The next version of a supplier order."""
    return replace(order, version=order.version + 1, update_time=now)


def settled(order: SupplierOrder, now: datetime) -> SupplierOrder:
    """The supplier order with the status that its quantities make; decisions that stand above are kept."""
    if order.status not in (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED, SupplierOrderStatus.COMPLETED):
        return order
    status = derived(order.lines, order.accept_time is not None)
    done = status is SupplierOrderStatus.COMPLETED
    return replace(
        order,
        status=status,
        complete_time=(order.complete_time or now) if done else None,
        cancel_time=now if status is SupplierOrderStatus.CANCELED else order.cancel_time,
    )


def emptied(line: OrderLine) -> OrderLine:
    """A line whose units are in other supplier orders now: they were moved, not canceled."""
    nothing = replace(line, quantity=0, packed=0, shipped=0, canceled=0, allocations=())
    return replace(nothing, subtotal=0, discount=0, tax=0, included_tax=0)


def moved_away(order: SupplierOrder, now: datetime) -> SupplierOrder:
    """A supplier order that has given all its units to others; the caller sets the status."""
    return replace(
        touched(order, now),
        lines=tuple(emptied(line) for line in order.lines),
        subtotal=0,
        discount=0,
        shipping_cost=0,
        tax=0,
        selections=(),
        moved=True,
    )
