"""Who decides an approval: any member of its group, but never the order's own user, and nobody twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.errors import WaybillError, missing, precondition
from services.order.domain.approval.rounds import Approval, Round
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Voter:
    """A user who wants to decide."""

    user_id: str
    groups: frozenset[str]
    """The groups that it is in at this moment."""


def may_decide(round: Round, voter: Voter) -> tuple[Approval, ...]:
    """The pending approvals that the user may decide."""
    if voter.user_id == round.user_id:
        return ()
    return tuple(approval for approval in round.pending if approval.group_id in voter.groups)


def chosen(order_id: str, round: Round, voter: Voter, rule_ids: Sequence[str]) -> frozenset[str]:
    """The rules whose approvals the user decides: those that it names, else all that it may.

    Raises `RESOURCE_NOT_FOUND` for a rule that the round has no approval for, `APPROVAL_DECIDED` for one that is not pending any
    more, and `NOT_ELIGIBLE_TO_APPROVE` when the user may decide none, or not all that it names.
    """
    allowed = {approval.rule_id for approval in may_decide(round, voter)}
    known = {approval.rule_id: approval for approval in round.approvals}
    for id in rule_ids:
        if id not in known:
            raise missing("approval", f"{order_id}/{id}")
        if not known[id].pending:
            raise _decided_before(order_id, known[id])
    if not allowed or not allowed.issuperset(rule_ids):
        raise _not_eligible(order_id, voter, rule_ids)
    return frozenset(rule_ids or allowed)


def eligible(round: Round, members: Collection[tuple[str, str]]) -> list[str]:
    """Of the members of groups, each a group and a user, the users who may decide anything, sorted."""
    waiting = {approval.group_id for approval in round.pending}
    return sorted({user for group, user in members if group in waiting and user != round.user_id})


def _decided_before(order_id: str, approval: Approval) -> WaybillError:
    return precondition(
        reasons.APPROVAL_DECIDED,
        f"the approval of order {order_id} by rule {approval.rule_id} is {approval.status.value}",
        order=order_id,
        approval_rule=approval.rule_id,
        status=approval.status.value,
    )


def _not_eligible(order_id: str, voter: Voter, rule_ids: Sequence[str]) -> WaybillError:
    of = f" of {', '.join(rule_ids)}" if rule_ids else ""
    return precondition(
        reasons.NOT_ELIGIBLE_TO_APPROVE,
        f"user {voter.user_id} does not decide about approvals{of} of order {order_id}",
        order=order_id,
    )
