"""A change of an open order, part of which has shipped: its open units are given up. Tried, then applied or released."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from libs.errors import precondition
from services.fulfillment.domain.stock.ledger import Cause, Movement, deallocating
from services.fulfillment.domain.supplier_orders.actions.change import Change, settled, touched
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder
from waybill.fulfillment.v1 import reasons

STOPPABLE = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED)


def stop(orders: Sequence[SupplierOrder], now: datetime) -> Change:
    """Freezes what still has open units: none of them is packed or leaves. What has shipped is not touched.

    Raises NOTHING_OPEN when every unit has shipped or is canceled, NOTHING_SHIPPED when none has left yet.
    """
    live = [o for o in orders if o.status in STOPPABLE and any(line.open for line in o.lines)]
    if not live:
        raise _nothing(reasons.NOTHING_OPEN, "no unit is open", orders)
    if not any(line.shipped for o in orders for line in o.lines):
        raise _nothing(reasons.NOTHING_SHIPPED, "no unit has shipped", orders)
    return Change(
        changed=tuple(replace(touched(o, now), status=move(o.id, o.status, Trigger.FREEZE), former_status=o.status) for o in live)
    )


def _nothing(reason: reasons.ReasonName, text: str, orders: Sequence[SupplierOrder]) -> Exception:
    order_id = orders[0].order_id if orders else ""
    return precondition(reason, f"Of order {order_id} {text}.", order=order_id)


def give_up(orders: Sequence[SupplierOrder], cause: Cause, now: datetime) -> Change:
    """Cancels every open unit of what was frozen, packed ones too, and frees the stock that was promised to them.

    A supplier order of which something has shipped is COMPLETED, any other CANCELED.
    """
    stopped = [o for o in orders if o.status is SupplierOrderStatus.FROZEN]
    return Change(
        changed=tuple(_given_up(o, now) for o in stopped),
        movements=tuple(m for o in stopped for line in o.lines for m in _freeing(line, cause)),
    )


def _given_up(order: SupplierOrder, now: datetime) -> SupplierOrder:
    lines = tuple(_without_open(line) for line in order.lines)
    thawed = replace(touched(order, now), status=order.former_status or SupplierOrderStatus.OPEN, former_status=None, lines=lines)
    return settled(thawed, now)


def _without_open(line: OrderLine) -> OrderLine:
    if not line.open:
        return line
    return replace(
        line,
        packed=0,
        canceled=line.canceled + line.open,
        allocations=tuple(replace(a, quantity=a.shipped, packed=0) for a in line.allocations if a.shipped),
    )


def _freeing(line: OrderLine, cause: Cause) -> Iterable[Movement]:
    for a in line.allocations:
        if a.record_key is not None and a.held:
            yield deallocating(a.record_key, a.held, line.line_item_id, cause)
