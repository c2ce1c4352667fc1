"""The buyer's cancel, until it is decided: nothing can ship; refused, everything is as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.supplier_orders.actions.change import Change, touched
from services.fulfillment.domain.supplier_orders.actions.place import already_shipped
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

FREEZABLE = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED)


def freeze(orders: Sequence[SupplierOrder], now: datetime) -> Change:
    """No supplier order can ship any more. Raises ORDER_ALREADY_SHIPPED when a unit has left.

    A unit that needed no shipment has left when it was delivered. A shipment that is only packed does not stand
    against it: it can no longer leave.
    """
    for order in orders:
        if any(line.shipped for line in order.lines):
            raise already_shipped(order)
    return Change(changed=tuple(_frozen(o, now) for o in orders if o.status in FREEZABLE))


def _frozen(order: SupplierOrder, now: datetime) -> SupplierOrder:
    return replace(touched(order, now), status=move(order.id, order.status, Trigger.FREEZE), former_status=order.status)


def unfreeze(orders: Sequence[SupplierOrder], now: datetime) -> Change:
    """Frozen supplier orders get their former status back."""
    return Change(
        changed=tuple(
            replace(touched(o, now), status=o.former_status or SupplierOrderStatus.OPEN, former_status=None)
            for o in orders
            if o.status is SupplierOrderStatus.FROZEN
        )
    )
