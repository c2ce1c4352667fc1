"""Orders that somebody approves, as an approver finds them."""

from __future__ import annotations

from dataclasses import dataclass

from libs.auth import PartyKind, Principal
from libs.errors import WaybillError, missing
from services.order.application.ports import OrderWork
from services.order.domain.approval.case import Case
from services.order.domain.approval.voters import Voter
from services.order.domain.model import Order
from services.order.domain.reading.visibility import BuyerOrders, Direction, Scope, scope


@dataclass(frozen=True, slots=True)
class Found:
    """An order with its newest round, if it has one."""

    order: Order
    case: Case | None


def company(caller: Principal) -> Scope:
    """All buyer orders of the caller's company: for those who are in the group of an approval, whatever their roles show them."""
    return Scope(BuyerOrders(caller.party_id, caller.user_id, False, True, True), None)


async def approvable(work: OrderWork, caller: Principal, order_id: str, voter: Voter, *, lock: bool = False) -> Found:
    """An order that the caller may see, or of whose newest round an approval is for one of its groups; NOT_FOUND otherwise."""
    if caller.party_kind is not PartyKind.BUYER or caller.is_guest:
        raise missing("order", order_id)
    order = await work.orders.find(order_id, company(caller), lock=lock)
    if order is None:
        raise missing("order", order_id)
    case = await work.rounds.newest(order.key)
    if case is not None and any(approval.group_id in voter.groups for approval in case.round.approvals):
        return Found(order, case)
    if not await _seen(work, caller, order_id):
        raise missing("order", order_id)
    return Found(order, case)


async def _seen(work: OrderWork, caller: Principal, order_id: str) -> bool:
    try:
        seen = scope(caller, Direction.ALL)
    except WaybillError:
        return False
    return await work.orders.find(order_id, seen) is not None
