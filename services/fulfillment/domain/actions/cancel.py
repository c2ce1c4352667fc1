"""The buyer's cancel, decided: what has not left is canceled, and its stock comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.actions.change import Change, settled, touched
from services.fulfillment.domain.actions.freeze import FREEZABLE
from services.fulfillment.domain.ledger import Cause, Movement, deallocating, returning
from services.fulfillment.domain.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_order import OrderLine, SupplierOrder


def cancel(orders: Sequence[SupplierOrder], cause: Cause, now: datetime) -> Change:
    """Cancels every unit that has not left on a shipment and returns its stock.

    Units that needed no shipment are canceled with the order, as nothing was delivered. Had a shipment left
    after all, its units stay shipped and the supplier order is COMPLETED.
    """
    live = [o for o in orders if o.status in (*FREEZABLE, SupplierOrderStatus.FROZEN)]
    live = [o for o in live if any(_cancelable(line) for line in o.lines)]
    movements = [m for o in live for line in o.lines for m in giving_back(line, cause)]
    return Change(changed=tuple(_canceled(o, now) for o in live), movements=tuple(movements))


def _cancelable(line: OrderLine) -> int:
    return line.open if line.shippable else line.quantity - line.canceled


def _canceled(order: SupplierOrder, now: datetime) -> SupplierOrder:
    lines = tuple(_canceled_line(line) for line in order.lines)
    after = replace(touched(order, now), lines=lines, former_status=None)
    if any(line.shipped for line in lines):
        return settled(replace(after, status=SupplierOrderStatus.ACCEPTED, accept_time=order.accept_time or now), now)
    return replace(after, status=move(order.id, order.status, Trigger.CANCEL), cancel_time=now, complete_time=None)


def _canceled_line(line: OrderLine) -> OrderLine:
    shipped = line.shipped if line.shippable else 0
    return replace(
        line,
        packed=0,
        shipped=shipped,
        canceled=line.quantity - shipped,
        allocations=tuple(replace(a, quantity=a.shipped, packed=0) for a in line.allocations if line.shippable and a.shipped),
    )


def giving_back(line: OrderLine, cause: Cause) -> Iterable[Movement]:
    """What it does to stock when a line's allocations end: held units are free, delivered ones come back."""
    for a in line.allocations:
        if a.record_key is None:
            continue
        if a.held:
            yield deallocating(a.record_key, a.held, line.line_item_id, cause)
        if a.shipped and not line.shippable:
            yield returning(a.record_key, a.shipped, line.line_item_id, cause)
