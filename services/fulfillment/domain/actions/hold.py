"""What stops supplier orders: the buyer's cancel (freeze, unfreeze, cancel), and the hold of the buyer order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.actions.change import Change, settled, touched
from services.fulfillment.domain.actions.place import already_shipped
from services.fulfillment.domain.ledger import Cause, Movement, deallocating, returning
from services.fulfillment.domain.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_order import OrderLine, SupplierOrder

FREEZABLE = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED, SupplierOrderStatus.COMPLETED)

SHIPPING = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED, SupplierOrderStatus.FROZEN)
"""What may still ship, a frozen one if its cancel is refused."""


def freeze(orders: Sequence[SupplierOrder], now: datetime) -> Change:
    """No supplier order can ship any more. Raises ORDER_ALREADY_SHIPPED when a unit has left.

    A shipment that is only packed does not stand against it: it can no longer leave. Lines that need no
    shipment do not count as left.
    """
    for order in orders:
        if any(line.shippable and line.shipped for line in order.lines):
            raise already_shipped(order)
    return Change(changed=tuple(_frozen(o, now) for o in orders if o.status in FREEZABLE))


def _frozen(order: SupplierOrder, now: datetime) -> SupplierOrder:
    return replace(
        touched(order, now),
        status=move(order.id, order.status, Trigger.FREEZE),
        former_status=order.status,
    )


def unfreeze(orders: Sequence[SupplierOrder], now: datetime) -> Change:
    """Frozen supplier orders get their former status back."""
    return Change(
        changed=tuple(
            replace(touched(o, now), status=o.former_status or SupplierOrderStatus.OPEN, former_status=None)
            for o in orders
            if o.status is SupplierOrderStatus.FROZEN
        )
    )


def hold(orders: Sequence[SupplierOrder], held: bool, now: datetime) -> Change:
    """Nothing more is packed or leaves of those that still could, or it may again. Statuses stay."""
    return Change(
        changed=tuple(
            replace(touched(o, now), held=held)
            for o in orders
            if o.held is not held and (not held or o.status in SHIPPING)
        )
    )


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
    return replace(
        after,
        status=move(order.id, order.status, Trigger.CANCEL),
        cancel_time=now,
        complete_time=None,
    )


def _canceled_line(line: OrderLine) -> OrderLine:
    shipped = line.shipped if line.shippable else 0
    return replace(
        line,
        packed=0,
        shipped=shipped,
        canceled=line.quantity - shipped,
        allocations=tuple(
            replace(a, quantity=a.shipped, packed=0) for a in line.allocations if line.shippable and a.shipped
        ),
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
