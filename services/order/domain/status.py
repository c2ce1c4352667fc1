"""Where a buyer order stands, and what may move it on: the one table that every use case asks.

Statuses and who triggers them follow the seed's order lifecycle; cancel of an open order is decided after fulfillment
has frozen what could still ship.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from libs.errors import WaybillError, precondition
from waybill.order.v1 import reasons


class OrderStatus(StrEnum):
    """The closed list of statuses; finer states of the marketplace's own are sub-statuses."""

    UNSUBMITTED = "UNSUBMITTED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    DECLINED = "DECLINED"
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


class Trigger(StrEnum):
    """What asks for a change of status."""

    EDIT = "EDIT"
    SUBMIT = "SUBMIT"
    SUBMIT_FOR_APPROVAL = "SUBMIT_FOR_APPROVAL"
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    DECLINE_FOR_RESUBMIT = "DECLINE_FOR_RESUBMIT"
    RECALL = "RECALL"
    FORWARD = "FORWARD"
    COMPLETE = "COMPLETE"
    REOPEN = "REOPEN"
    CANCEL = "CANCEL"
    CHANGE = "CHANGE"
    DELETE = "DELETE"
    HOLD = "HOLD"
    MARK = "MARK"


_S = OrderStatus
_T = Trigger

TRANSITIONS: Final[dict[tuple[OrderStatus, Trigger], OrderStatus]] = {
    (_S.UNSUBMITTED, _T.EDIT): _S.UNSUBMITTED,
    (_S.UNSUBMITTED, _T.SUBMIT): _S.OPEN,
    (_S.UNSUBMITTED, _T.SUBMIT_FOR_APPROVAL): _S.AWAITING_APPROVAL,
    (_S.AWAITING_APPROVAL, _T.APPROVE): _S.OPEN,
    (_S.AWAITING_APPROVAL, _T.DECLINE): _S.DECLINED,
    (_S.AWAITING_APPROVAL, _T.DECLINE_FOR_RESUBMIT): _S.UNSUBMITTED,
    (_S.AWAITING_APPROVAL, _T.RECALL): _S.UNSUBMITTED,
    (_S.OPEN, _T.FORWARD): _S.OPEN,
    (_S.OPEN, _T.COMPLETE): _S.COMPLETED,
    (_S.COMPLETED, _T.COMPLETE): _S.COMPLETED,
    (_S.COMPLETED, _T.REOPEN): _S.OPEN,
    (_S.UNSUBMITTED, _T.CANCEL): _S.CANCELED,
    # An order that is deleted leaves no status behind.
    (_S.UNSUBMITTED, _T.DELETE): _S.UNSUBMITTED,
    (_S.AWAITING_APPROVAL, _T.CANCEL): _S.CANCELED,
    (_S.DECLINED, _T.CANCEL): _S.CANCELED,
    (_S.OPEN, _T.CANCEL): _S.CANCELED,
    # What is open is given up; the quantities then make the status.
    (_S.OPEN, _T.CHANGE): _S.OPEN,
    (_S.OPEN, _T.HOLD): _S.OPEN,
    **{(status, _T.MARK): status for status in OrderStatus},
}

SUBMITTED: Final = frozenset({_S.OPEN, _S.COMPLETED})
"""Statuses in which an order has passed to the seller. A canceled order remembers whether it had."""


def move(order_id: str, status: OrderStatus, trigger: Trigger) -> OrderStatus:
    """The status after `trigger`.

    Raises `ORDER_STATUS_CONFLICT` when the table has no such move.
    """
    target = TRANSITIONS.get((status, trigger))
    if target is None:
        raise status_conflict(order_id, status, trigger)
    return target


def status_conflict(order_id: str, status: OrderStatus, trigger: Trigger) -> WaybillError:
    """The error for a move that the table does not have."""
    verb = trigger.value.lower().replace("_", " ")
    return precondition(
        reasons.ORDER_STATUS_CONFLICT,
        f"order {order_id} is {status.value}: it cannot {verb}",
        order=order_id,
        status=status.value,
    )


def derived(
    submitted: bool, canceled: bool, open_units: int, shipped: int, *, waits: bool = False, declined: bool = False
) -> OrderStatus:
    """The status that quantities and recorded decisions make; every stored status is this one, computed again.

    `canceled` is a cancel that was decided, `waits` an approval that is pending, `declined` one that was refused for good. No
    open unit left: COMPLETED if any shipped, else CANCELED.
    """
    if canceled:
        return OrderStatus.CANCELED
    if not submitted:
        return OrderStatus.AWAITING_APPROVAL if waits else OrderStatus.DECLINED if declined else OrderStatus.UNSUBMITTED
    if open_units:
        return OrderStatus.OPEN
    return OrderStatus.COMPLETED if shipped else OrderStatus.CANCELED
