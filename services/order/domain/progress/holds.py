"""Holds of an open order: placed by a person or for a payment that is no longer good, released by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from libs.errors import missing, precondition
from services.order.domain.history import changed
from services.order.domain.model import Event, Order, OrderHold
from services.order.domain.status import OrderStatus, Trigger, move
from waybill.order.v1 import reasons

MANUAL, PAYMENT = "MANUAL", "PAYMENT"
MAX_HOLDS = 100
"""Most holds that people can place on one order, released ones counted."""


def place(order: Order, hold: OrderHold, party_id: str, now: datetime) -> tuple[Order, Event]:
    """The order with one more hold. Raises ORDER_STATUS_CONFLICT, TOO_MANY_HOLDS."""
    status = move(order.id, order.status, Trigger.HOLD)
    if hold.type == MANUAL and len(order.holds) >= MAX_HOLDS:
        raise precondition(reasons.TOO_MANY_HOLDS, f"order {order.id} has had {MAX_HOLDS} holds", order=order.id)
    payment = {"payment": hold.payment_id} if hold.payment_id else {}
    data = {"hold": hold.id, "type": hold.type, "comment": hold.comment, **payment}
    after = replace(order, status=status, holds=(*order.holds, hold))
    return changed(after, "order_held", hold.user_id, party_id, now, data=data)


def release(order: Order, hold_id: str, user_id: str, party_id: str, comment: str, now: datetime) -> tuple[Order, Event | None]:
    """The order with a hold released; as it is when that was done before. Raises RESOURCE_NOT_FOUND."""
    hold = next((hold for hold in order.holds if hold.id == hold_id), None)
    if hold is None:
        raise missing("order hold", f"{order.id}/{hold_id}")
    if hold.release_time is not None:
        return order, None
    ended = replace(hold, release_time=now, release_user_id=user_id, release_comment=comment)
    return changed(
        replace(order, holds=tuple(ended if h.id == hold_id else h for h in order.holds)),
        "order_hold_released",
        user_id,
        party_id,
        now,
        data={"hold": hold_id, "comment": comment},
    )


def wants_hold(order: Order, payment_id: str) -> bool:
    """Whether a payment that is no longer good puts the order on hold: once, also when that hold was released, as then a
    person knows; and only while something could ship."""
    return order.status is OrderStatus.OPEN and all(hold.payment_id != payment_id for hold in order.holds)
