"""Statuses of the marketplace's own: when an order may enter one, and what becomes of it when the fixed status changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from libs.auth import PartyKind
from libs.errors import Kind, WaybillError, precondition
from libs.json_value import JsonObject
from services.order.domain.model import Order
from services.order.domain.status import OrderStatus
from waybill.order.v1 import reasons

MAX_SUB_STATUSES: Final = 200
"""Most that a marketplace has."""
MAX_ID: Final = 40
"""Most characters of an id, which orders keep."""


@dataclass(frozen=True, slots=True)
class SubStatus:
    """What decides who may enter it, and from where."""

    id: str
    status: OrderStatus
    follows: frozenset[str] = frozenset()
    follows_none: bool = False
    roles: frozenset[str] = frozenset()
    parties: frozenset[PartyKind] = frozenset({PartyKind.SELLER})
    terminal: bool = False
    closed: bool = False

    def may_follow(self, present: str) -> bool:
        """Whether it may be entered from that one; an empty id is none. Without any that are named it follows all."""
        if not self.follows and not self.follows_none:
            return True
        return present in self.follows if present else self.follows_none


def require_settable(order: Order, target: SubStatus, party: PartyKind, roles: Collection[str], full_access: bool) -> None:
    """Raises SUB_STATUS_NOT_ALLOWED unless a user of such a company with these roles may set it on the order."""
    if party in target.parties and (not target.roles or full_access or target.roles & set(roles)):
        return
    raise WaybillError(
        Kind.DENIED,
        reasons.SUB_STATUS_NOT_ALLOWED,
        f"sub-status {target.id} is set by users of other companies, or with another role",
        metadata={"order": order.id, "sub_status": target.id},
    )


def require_enterable(order: Order, target: SubStatus, known: Mapping[str, SubStatus]) -> None:
    """Raises SUB_STATUS_CONFLICT unless the order may go from where it is to that sub-status."""
    present = known.get(order.sub_status)
    if target.status is not order.status:
        why = f"it is of orders that are {target.status.value}, and this one is {order.status.value}"
    elif target.closed:
        why = "it is closed"
    elif present is not None and present.terminal:
        why = f"{present.id} is left only together with the status"
    elif not target.may_follow(order.sub_status):
        why = f"it does not follow {order.sub_status or 'none'}"
    else:
        return
    raise precondition(
        reasons.SUB_STATUS_CONFLICT,
        f"order {order.id} cannot enter sub-status {target.id}: {why}",
        order=order.id,
        sub_status=target.id,
        status=order.status.value,
        present=order.sub_status,
    )


def after_status(order: Order, now: datetime) -> tuple[Order, JsonObject]:
    """The order as its change leaves it, and what its event says of it: with its status an order leaves its sub-status for the
    initial one of the new status, or for none."""
    if order.status is order.status_before:
        return order, {}
    new = order.initial_sub_statuses.get(order.status, "")
    left = order.sub_status
    order = replace(order, status_before=order.status, sub_status=new, sub_status_time=now if new else None)
    return order, {"sub_status": new, "former_sub_status": left} if new or left else {}
