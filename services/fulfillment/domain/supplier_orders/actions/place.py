"""Confirm and forward: supplier orders come to be, either the seller's implicit one or one for each
supplier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from libs.errors import precondition
from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Assignment, Costs, Stock
from services.fulfillment.domain.stock.ledger import Cause, Movement, allocating
from services.fulfillment.domain.supplier_orders.actions.change import Change, NewKey, moved_away, settled
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.costs import costed
from services.fulfillment.domain.supplier_orders.kept_lines import divided
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot, whole_order
from services.fulfillment.domain.supplier_orders.splitting import Share, partition, parts_by_supplier
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, next_number
from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What of an order goes to its suppliers when it is confirmed."""

    forward: bool
    """Whether anything does."""
    kept: AbstractSet[str] = frozenset()
    """Ids of lines that stay with the seller all the same."""


def confirm(
    order: OrderSnapshot, assignments: Sequence[Assignment], cause: Cause, forwarding: Forwarding, new_key: NewKey, now: datetime
) -> Change:
    """What was reserved becomes allocated, and the supplier orders are made: one for each supplier of the lines that are
    forwarded, after the implicit one of those that are not.
    """
    whole = whole_order(order, assignments, new_key, now)
    kept, rest = divided(whole, forwarding.kept) if forwarding.forward else (whole, None)
    implicit = () if kept is None else (settled(kept, now),)
    forwarded = () if rest is None else split(rest, order.xp, order.costs, 1 + len(implicit), new_key, now)
    made = (*implicit, *forwarded)
    return Change(created=made, movements=tuple(taking(made, cause, held=True)))


def delivered(placed: Change, stocks: Iterable[Stock], now: datetime) -> Change:
    """New supplier orders with all that needs no shipment delivered, as far as it is on hand now.

    A count may have taken away what was reserved: such units stay open, and are delivered when stock comes.
    """
    delivery = Delivery(stocks)
    made = tuple(settled(o, now) for o in delivery.of(placed.created))
    return replace(placed, created=made, movements=(*placed.movements, *delivery.movements))


def forward(orders: Sequence[SupplierOrder], xp: JsonObject, costs: Costs, new_key: NewKey, now: datetime) -> Change:
    """The implicit supplier order gives its units to one supplier order for each supplier. Nothing is
    sourced again. `xp` is the buyer order's.

    An order that is forwarded, or canceled, stays as it is. Raises ORDER_ALREADY_SHIPPED when a unit has
    left or is packed, and SUPPLIER_ORDER_STATUS_CONFLICT while a cancel is being decided.
    """
    implicit = next((o for o in orders if o.implicit and not o.moved), None)
    if implicit is None or implicit.status is SupplierOrderStatus.CANCELED:
        return Change()
    if implicit.has_left():
        raise already_shipped(implicit)
    status = move(implicit.id, implicit.status, Trigger.MOVE_UNITS)
    made = split(implicit, xp, costs, next_number(orders), new_key, now)
    gone = replace(moved_away(implicit, now), status=status, cancel_time=now)
    return Change(changed=(gone,), created=made)


def already_shipped(order: SupplierOrder) -> Exception:
    """The refusal of what can only be done before the first unit leaves."""
    return precondition(
        reasons.ORDER_ALREADY_SHIPPED,
        f"Units of order {order.order_id} have left, or are packed on a shipment.",
        order=order.order_id,
    )


def split(
    whole: SupplierOrder, xp: JsonObject, costs: Costs, first_number: int, new_key: NewKey, now: datetime
) -> tuple[SupplierOrder, ...]:
    """One supplier order for each supplier of the whole, numbered in the order of the first line."""
    shares = partition(whole, parts_by_supplier(whole.lines))
    made = (from_share(whole, xp, share, first_number + i, new_key, now) for i, share in enumerate(shares))
    return tuple(costed(order, costs) for order in made)


def from_share(whole: SupplierOrder, xp: JsonObject, share: Share, number: int, new_key: NewKey, now: datetime) -> SupplierOrder:
    """A new supplier order of the same buyer order. Its xp begins empty: what the buyer has written into the order is for the
    seller, whose own supplier order begins with `xp`; and what the owner of the whole has written is no other supplier's.
    """
    made = SupplierOrder(
        key=new_key(),
        id=f"{whole.order_id}-{number}",
        number=number,
        order_key=whole.order_key,
        order_id=whole.order_id,
        supplier_id=share.supplier_id,
        status=SupplierOrderStatus.OPEN,
        implicit=False,
        buyer_id=whole.buyer_id,
        user_id=whole.user_id,
        client_id=whole.client_id,
        currency=whole.currency,
        lines=share.lines,
        subtotal=share.subtotal,
        discount=share.discount,
        shipping_cost=share.shipping_cost,
        tax=share.tax,
        selections=share.selections,
        create_time=now,
        update_time=now,
        shipping_address=whole.shipping_address,
        billing_address=whole.billing_address,
        comments=whole.comments,
        xp={} if share.supplier_id else xp,
        held=whole.held,
    )
    return settled(made, now)


def taking(orders: Iterable[SupplierOrder], cause: Cause, held: bool) -> Iterable[Movement]:
    """What new allocations do to stock."""
    for order in orders:
        for line in order.lines:
            for a in line.allocations:
                if a.record_key is not None:
                    yield allocating(a.record_key, a.quantity, line.line_item_id, cause, held)
