"""The time that suppliers have to answer, and what is left when none of them takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.fulfillment.domain.sourcing.model import Line
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder

SELLER = ""
"""The seller's id as a supplier."""
UNANSWERED = "not answered in time"
"""What a rejection by the system says."""


def timed(change: Change, within: timedelta | None, now: datetime) -> Change:
    """Each supplier that a change gave units to has the whole time from now on, one that has not answered for its earlier
    units too. The seller's own supplier orders have no limit.
    """
    if within is None:
        return change

    def given(order: SupplierOrder) -> SupplierOrder:
        waits = order.supplier_id != SELLER and order.status is SupplierOrderStatus.OPEN
        return replace(order, accept_by=now + within) if waits else order

    return replace(change, changed=tuple(map(given, change.changed)), created=tuple(map(given, change.created)))


def overdue(order: SupplierOrder, now: datetime) -> bool:
    """Whether its supplier has not answered in time. While the buyer order is on hold, or its cancel is being decided, nobody
    has to; an answer that comes late, and before this is noticed, is as good as any.
    """
    waits = order.status is SupplierOrderStatus.OPEN and not order.held
    return waits and order.accept_by is not None and order.accept_by <= now


def unclaimed(lines: Iterable[OrderLine], demand: Mapping[str, Line]) -> bool:
    """Whether some of these units, which have come to the seller, are there because no supplier took them: no stock is
    promised for them, or the seller is none of those who may fulfill their line.
    """
    return any(
        line.unallocated or line.line_item_id not in demand or SELLER not in demand[line.line_item_id].allowed_suppliers
        for line in lines
        if line.open
    )
