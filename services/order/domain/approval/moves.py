"""What a round of approvals does to its order: it waits, opens, is declined or taken back, each as one event.

An order that waits is not submitted and holds nothing of stock or money. What it says cannot be changed, so that the version that
is approved is the one that opens.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from libs.json_value import JsonObject
from services.order.domain.approval.rounds import ApprovalStatus, Round
from services.order.domain.history import changed
from services.order.domain.model import Event, Order
from services.order.domain.status import Trigger, move


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it."""

    user_id: str
    party_id: str
    comment: str = ""


def wait(order: Order, round: Round, by: Actor, attempt: int, now: datetime) -> tuple[Order, Event]:
    """The order as a submit leaves it that somebody has to approve. Raises `ORDER_STATUS_CONFLICT`."""
    status = move(order.id, order.status, Trigger.SUBMIT_FOR_APPROVAL)
    return _happened(replace(order, status=status), "order_awaiting_approval", round, _pending(round), by, now, attempt=attempt)


def note(order: Order, before: Round, after: Round, by: Actor, now: datetime) -> tuple[Order, Event]:
    """The order with approvals given, of which others are pending. Raises `ORDER_STATUS_CONFLICT`."""
    move(order.id, order.status, Trigger.APPROVE)
    opened = sorted(_pending(after) - _pending(before))
    return _happened(order, "approval_given", after, after.approved - before.approved, by, now, opened=opened)


def opened(order: Order, before: Round, after: Round, by: Actor, attempt: int, now: datetime) -> tuple[Order, Event]:
    """The order with its last approvals given. Raises `ORDER_STATUS_CONFLICT`."""
    status = move(order.id, order.status, Trigger.APPROVE)
    made = replace(order, status=status, is_submitted=True, submit_time=now, approve_time=now)
    return _happened(made, "order_approved", after, after.approved - before.approved, by, now, attempt=attempt)


def decline(order: Order, after: Round, by: Actor, now: datetime, *, resubmit: bool) -> tuple[Order, Event]:
    """The order declined: for good, or to be changed, calculated and submitted again. Raises `ORDER_STATUS_CONFLICT`."""
    status = move(order.id, order.status, Trigger.DECLINE_FOR_RESUBMIT if resubmit else Trigger.DECLINE)
    made = replace(order, status=status, decline_time=None if resubmit else now)
    ids = {a.rule_id for a in after.approvals if a.status is ApprovalStatus.DECLINED}
    return _happened(made, "order_declined", after, ids, by, now, content=resubmit, allow_resubmit=resubmit)


def recall(order: Order, before: Round, by: Actor, now: datetime) -> tuple[Order, Event]:
    """The order taken back before it was decided. Raises `ORDER_STATUS_CONFLICT`."""
    status = move(order.id, order.status, Trigger.RECALL)
    return _happened(replace(order, status=status), "order_recalled", before, _pending(before), by, now)


def _pending(round: Round) -> set[str]:
    return {approval.rule_id for approval in round.pending}


def _happened(
    order: Order,
    type: str,
    round: Round,
    rule_ids: Collection[str],
    by: Actor,
    now: datetime,
    *,
    content: bool = False,
    **more: bool | int | list[str],
) -> tuple[Order, Event]:
    said: JsonObject = {"comment": by.comment} if by.comment else {}
    data: JsonObject = {"round": round.number, "approval_rules": sorted(rule_ids), **more, **said}
    return changed(order, type, by.user_id, by.party_id, now, content=content, data=data)
