"""Who may do what with a buyer order, and how one is loaded for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.auth import PartyKind, Principal
from libs.errors import Kind, WaybillError, denied, missing, stale
from services import roles
from services.order.application.ports import OrderStore
from services.order.domain.model import Order, Submission
from services.order.domain.reading.visibility import Direction, scope
from services.order.domain.status import Trigger, move
from waybill.order.v1 import reasons

_DOING = {"SUBMIT": "is being submitted", "CHANGE": "is being changed", "APPROVE": "is being approved"}


def require_writer(caller: Principal, order: Order) -> None:
    """The own order needs Shopper or OrderAdmin, another's OrderAdmin; suppliers write none."""
    if caller.party_kind is PartyKind.SUPPLIER:
        raise denied(roles.ORDER_ADMIN)
    if caller.party_kind is PartyKind.BUYER and order.user.id == caller.user_id:
        caller.require(roles.SHOPPER, roles.ORDER_ADMIN)
    else:
        caller.require(roles.ORDER_ADMIN)


async def readable(store: OrderStore, caller: Principal, order_id: str) -> Order:
    """A buyer order that the caller may see; NOT_FOUND otherwise."""
    order = await store.find(order_id, scope(caller, Direction.ALL))
    if order is None:
        raise missing("order", order_id)
    return order


async def writable(
    store: OrderStore,
    caller: Principal,
    order_id: str,
    now: datetime,
    trigger: Trigger = Trigger.EDIT,
    etag: str = "",
    lock: bool = True,
) -> Order:
    """A buyer order that the caller may change now.

    Locked, unless it is only looked at, before remote calls or for a repeat: then it may have changed by the next look.
    """
    order = await (locked if lock else readable)(store, caller, order_id)
    require_writable(caller, order, now, trigger, etag)
    return order


async def locked(store: OrderStore, caller: Principal, order_id: str) -> Order:
    """A buyer order that the caller may see, locked, in whatever state it is."""
    order = await store.find(order_id, scope(caller, Direction.ALL), lock=True)
    if order is None:
        raise missing("order", order_id)
    return order


def require_writable(caller: Principal, order: Order, now: datetime, trigger: Trigger, etag: str = "") -> None:
    """Raises unless the caller may change the order now: role, version tag, no running attempt, status."""
    require_writer(caller, order)
    if etag and etag != str(order.version):
        raise stale("order", order.id, str(order.version))
    if trigger is not Trigger.MARK:
        require_no_attempt(order, now)
        move(order.id, order.status, trigger)


def require_no_attempt(order: Order, now: datetime) -> None:
    """ABORTED while an attempt is undecided."""
    attempt = order.submission
    if attempt is None or not attempt.undecided:
        return
    left = max(attempt.deadline - now, timedelta(seconds=1))
    raise _in_progress(order, attempt, _DOING[attempt.kind], min(left, timedelta(seconds=2)))


def require_settled(order: Order) -> None:
    """ABORTED while an attempt that was decided is not confirmed or released everywhere."""
    attempt = order.submission
    if attempt is not None and not attempt.finished:
        raise _in_progress(order, attempt, "is still being confirmed", timedelta(seconds=1))


def _in_progress(order: Order, attempt: Submission, what: str, again: timedelta) -> WaybillError:
    return WaybillError(
        Kind.STALE,
        reasons.SUBMISSION_IN_PROGRESS,
        f"order {order.id} {what}",
        metadata={"order": order.id, "attempt": str(attempt.attempt)},
        retry_after=again,
    )


def cancel_in_progress(order: Order) -> WaybillError:
    """ABORTED: a cancel of the order is under way."""
    return WaybillError(
        Kind.STALE,
        reasons.CANCEL_IN_PROGRESS,
        f"order {order.id} is being canceled",
        metadata={"order": order.id},
        retry_after=timedelta(seconds=1),
    )


def require_unchanged(read: Order, locked: Order) -> None:
    """ABORTED when the order changed between what was read for a remote call and now."""
    if read.content_version != locked.content_version:
        raise stale("order", locked.id, str(locked.version))


def require_same(read: Order, locked: Order) -> None:
    """ABORTED when anything of the order changed between what was read for a remote call and now."""
    if read.version != locked.version:
        raise stale("order", locked.id, str(locked.version))
