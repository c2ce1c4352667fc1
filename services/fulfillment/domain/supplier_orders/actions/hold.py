"""The hold of the buyer order, for fraud or by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.supplier_orders.actions.change import Change, touched
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

SHIPPING = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED, SupplierOrderStatus.FROZEN)
"""What may still ship, a frozen one if its cancel is refused."""


def hold(orders: Sequence[SupplierOrder], held: bool, now: datetime) -> Change:
    """Nothing more is packed or leaves of those that still could, or it may again. Statuses stay."""
    return Change(
        changed=tuple(
            replace(touched(o, now), held=held) for o in orders if o.held is not held and (not held or o.status in SHIPPING)
        )
    )
