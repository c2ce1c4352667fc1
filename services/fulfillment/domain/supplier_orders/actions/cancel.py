"""The buyer's cancel, decided: what has not left is canceled, and its stock is free again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.stock.ledger import Cause, Movement, deallocating
from services.fulfillment.domain.supplier_orders.actions.change import Change, settled, touched
from services.fulfillment.domain.supplier_orders.actions.freeze import FREEZABLE
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder


def cancel(orders: Sequence[SupplierOrder], cause: Cause, now: datetime) -> Change:
    """Cancels every open unit and frees its stock.

    Had units left after all, on a shipment or delivered without one, they stay shipped: delivered is delivered. A
    supplier order of which something has left is then COMPLETED.
    """
    live = [o for o in orders if o.status in (*FREEZABLE, SupplierOrderStatus.FROZEN)]
    live = [o for o in live if any(line.open for line in o.lines)]
    movements = [m for o in live for line in o.lines for m in giving_back(line, cause)]
    return Change(changed=tuple(_canceled(o, now) for o in live), movements=tuple(movements))


def _canceled(order: SupplierOrder, now: datetime) -> SupplierOrder:
    lines = tuple(_canceled_line(line) for line in order.lines)
    after = replace(touched(order, now), lines=lines, former_status=None)
    if any(line.shipped for line in lines):
        return settled(replace(after, status=SupplierOrderStatus.ACCEPTED, accept_time=order.accept_time or now), now)
    return replace(after, status=move(order.id, order.status, Trigger.CANCEL), cancel_time=now, complete_time=None)


def _canceled_line(line: OrderLine) -> OrderLine:
    return replace(
        line,
        packed=0,
        canceled=line.quantity - line.shipped,
        allocations=tuple(replace(a, quantity=a.shipped, packed=0) for a in line.allocations if a.shipped),
    )


def giving_back(line: OrderLine, cause: Cause) -> Iterable[Movement]:
    """What it does to stock when a line's allocations end: units that have not left are free."""
    for a in line.allocations:
        if a.record_key is not None and a.held:
            yield deallocating(a.record_key, a.held, line.line_item_id, cause)
