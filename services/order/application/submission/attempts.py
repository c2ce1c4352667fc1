"""An attempt to submit or to change an order: how the order shows it, and the error that its caller gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from libs.auth import Principal
from libs.errors import Kind, RuleViolation, WaybillError, exists
from libs.json_value import JsonObject
from libs.money import exact_text
from services.order.application.limits import AttemptLimits
from services.order.application.records import Attempt, OrderChange, PaymentDocument
from services.order.domain.approval import moves
from services.order.domain.approval.case import Case, Given
from services.order.domain.approval.moves import Actor
from services.order.domain.history import changed
from services.order.domain.model import Event, Order, Problem, Submission
from services.order.domain.status import OrderStatus, Trigger, move
from services.order.domain.submission.readiness import Facts
from waybill.fulfillment.v1 import reasons as fulfillment_reasons
from waybill.order.v1 import reasons

NEXT = "SubmitOrder"
"""The way on with an order that an attempt was refused of: it has everything but what was refused."""
SUBMIT, CHANGE, APPROVE = "SUBMIT", "CHANGE", "APPROVE"
"""Kinds of attempts."""
AWAITING_APPROVAL = "AWAITING_APPROVAL"
"""What a submit leads to that somebody has to approve."""


_BEGINS = {SUBMIT: "submission_begun", CHANGE: "change_begun", APPROVE: "approval_begun"}
_REFUSED = {SUBMIT: "submission_refused", CHANGE: "change_refused", APPROVE: "approval_refused"}
"""Types of events by kind."""


def next_number(order: Order) -> int:
    """The number of the attempt that would begin now."""
    return 1 if order.submission is None else order.submission.attempt + 1


def new_attempt(
    order: Order,
    number: int,
    caller: Principal,
    now: datetime,
    limits: AttemptLimits,
    new_payments: Sequence[PaymentDocument] = (),
    case: Case | None = None,
) -> Attempt:
    """An attempt that begins now. What the order itself shows to be missing is only validated, and so is what somebody has to
    approve: nothing is held.
    """
    return Attempt(
        order_key=order.key,
        attempt=number,
        state="TRYING",
        finished=False,
        held=order.calculated and (case is None or not case.waits),
        caller=caller.claims(),
        begin_time=now,
        deadline=now + limits.deadline,
        next_action_time=now + limits.lease,
        new_payments=tuple(new_payments),
        case=case,
    )


def new_change(order: Order, caller: Principal, change: OrderChange, now: datetime, limits: AttemptLimits) -> Attempt:
    """A change of a submitted order that begins now, under the next number."""
    number = next_number(order)
    return replace(new_attempt(order, number, caller, now, limits), held=True, kind=CHANGE, change=change)


def new_approval(order: Order, caller: JsonObject, given: Given, now: datetime, limits: AttemptLimits) -> Attempt:
    """An attempt that submits an order with the last approval that it wants, in the name of whoever had submitted it."""
    number = next_number(order)
    made = new_attempt(order, number, Principal.of_claims(caller), now, limits)
    return replace(made, held=True, kind=APPROVE, given=given)


def leads_to(attempt: Attempt) -> str:
    """What it leads to if it is accepted."""
    if attempt.kind == CHANGE:
        return "CHANGED"
    return AWAITING_APPROVAL if attempt.case is not None and attempt.case.waits else "OPENED"


def begun(order: Order, attempt: Attempt, caller: Principal | Actor) -> tuple[Order, Event]:
    """The order with its attempt shown."""
    shown = Submission(attempt.attempt, "TRYING", False, caller.user_id, attempt.begin_time, attempt.deadline, kind=attempt.kind)
    change: JsonObject = {} if attempt.change is None else {"change": attempt.change.what}
    return changed(
        replace(order, submission=shown),
        _BEGINS[attempt.kind],
        caller.user_id,
        caller.party_id,
        attempt.begin_time,
        data={"attempt": attempt.attempt, **change},
    )


def decided(
    order: Order, attempt: Attempt, facts: Facts | None, now: datetime, before: Case | None = None, case: Case | None = None
) -> tuple[Order, Event]:
    """The order after the decision: submitted, under the policy that was tried, waiting for an approval, or changed, or as it
    was, with the refusal shown. `case` is what is or was decided about, `before` as it was without the approvals that are given.
    """
    who = Principal.of_claims(attempt.caller)
    by = Actor(who.user_id, who.party_id) if attempt.given is None else attempt.given.by
    shown = Submission(
        attempt=attempt.attempt,
        state=attempt.state,
        finished=attempt.finished,
        user_id=who.user_id,
        begin_time=attempt.begin_time,
        deadline=attempt.deadline,
        reasons=attempt.reasons,
        decide_time=now,
        kind=attempt.kind,
        outcome=attempt.outcome,
    )
    if attempt.state == "REFUSED":
        refused: JsonObject = {"attempt": attempt.attempt, "reasons": sorted({r.reason for r in attempt.reasons})}
        return changed(replace(order, submission=shown), _REFUSED[attempt.kind], by.user_id, by.party_id, now, data=refused)
    if attempt.change is not None:
        return _change_decided(order, attempt, attempt.change, shown, now)
    policy = order.policy if facts is None else facts.policy
    tried = replace(order, submission=shown, policy=policy)
    if case is not None and case.waits:
        return moves.wait(tried, case.round, by, attempt.attempt, now)
    if case is not None and before is not None:
        return moves.opened(tried, before.round, case.round, by, attempt.attempt, now)
    opened = replace(tried, status=move(order.id, order.status, Trigger.SUBMIT), is_submitted=True, submit_time=now)
    own: JsonObject = {} if case is None else {"round": case.round.number, "approval_rules": sorted(case.round.approved)}
    return changed(opened, "order_submitted", by.user_id, by.party_id, now, data={"attempt": attempt.attempt, **own})


def timed_out(attempt: Attempt) -> Problem:
    """Why an attempt is refused that nobody decided in time."""
    reason = reasons.CHANGE_TIMED_OUT if attempt.kind == CHANGE else reasons.SUBMIT_TIMED_OUT
    return Problem(reason, "order", "submission", "not decided in time")


def _change_decided(order: Order, attempt: Attempt, change: OrderChange, shown: Submission, now: datetime) -> tuple[Order, Event]:
    """The order with what is canceled of it; its units and its status follow when fulfillment has applied the change."""
    who = Principal.of_claims(attempt.caller)
    canceled = change.canceled or order.canceled
    data: JsonObject = {
        "attempt": attempt.attempt,
        "change": change.what,
        "comment": change.comment,
        "canceled_total": exact_text(canceled.total),
    }
    after = replace(order, submission=shown, canceled=canceled)
    return changed(after, "change_decided", who.user_id, who.party_id, now, data=data)


def finished(order: Order, attempt: int) -> Order:
    """The order with its attempt finished."""
    if order.submission is None or order.submission.attempt != attempt:
        return order
    return replace(order, submission=replace(order.submission, finished=True))


def taken(order: Order) -> WaybillError:
    """What PlaceOrder answers when the order is there already, also from a PlaceOrder that was refused."""
    error = exists("order", order.id)
    if order.status is not OrderStatus.UNSUBMITTED:
        return error
    refused = order.submission.reasons if order.submission is not None else ()
    return WaybillError(
        error.kind,
        error.reason,
        f"{error.message}, unsubmitted: go on with {NEXT}, or place another one under another id",
        metadata={**error.metadata, "next": NEXT},
        rules=[RuleViolation(r.reason, r.subject, r.description) for r in refused],
    )


def outcome(attempt: Attempt, order: Order) -> Order:
    """The order, or the refusal as an error that lists every reason.

    The attempt decides which: a later one of the same order may be what the order shows by now.
    """
    if attempt.state != "REFUSED":
        return order
    found = attempt.reasons
    if attempt.kind == CHANGE:
        raise _change_refused(attempt, order)
    contended = bool(found) and all(r.contended for r in found)
    text = "; ".join(f"{r.subject}: {r.description}" for r in found[:5])
    # By now it may have been submitted by a later attempt, or canceled.
    next = {OrderStatus.UNSUBMITTED: NEXT, OrderStatus.AWAITING_APPROVAL: "ApproveOrder"}.get(order.status)
    onward = {"next": next} if next else {}
    raise WaybillError(
        Kind.STALE if contended else Kind.PRECONDITION,
        reasons.SUBMIT_CONTENDED if contended else reasons.SUBMIT_REFUSED,
        f"order {order.id} was not submitted: {text}" + (f"; mend that and call {next}" if next else ""),
        metadata={"order": order.id, "attempt": str(attempt.attempt), **onward},
        rules=[RuleViolation(r.reason, r.subject, r.description) for r in found],
        retry_after=timedelta(seconds=1) if contended else None,
    )


def _change_refused(attempt: Attempt, order: Order) -> WaybillError:
    """The error when a change is refused. An order of which nothing has shipped is canceled as a whole instead."""
    found = attempt.reasons
    text = "; ".join(r.description for r in found)
    onward = {"next": "CancelOrder"} if any(r.reason == fulfillment_reasons.NOTHING_SHIPPED for r in found) else {}
    contended = bool(found) and all(r.contended for r in found)
    return WaybillError(
        Kind.STALE if contended else Kind.PRECONDITION,
        reasons.CHANGE_CONTENDED if contended else reasons.CHANGE_REFUSED,
        f"order {order.id} was not changed: {text}" + ("; call CancelOrder" if onward else ""),
        metadata={"order": order.id, "attempt": str(attempt.attempt), **onward},
        rules=[RuleViolation(r.reason, r.subject, r.description) for r in found],
        retry_after=timedelta(seconds=1) if contended else None,
    )
