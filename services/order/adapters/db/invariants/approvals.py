"""Rounds of approvals beside the attempts that began them and the history that decided them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from services.order.adapters.db.invariants.whole import Whole
from services.order.application.records import Attempt
from services.order.contract.approval_expressions import ApprovalExpressions
from services.order.domain.approval.case import Case
from services.order.domain.approval.rounds import Round, approve, begin, decline, withdraw
from services.order.domain.model import Event

_DECISIONS = ("approval_given", "order_approved", "order_declined", "order_recalled")


def approvals(whole: Whole) -> str | None:
    """Every round is the one that a submit began, and its approvals are what its rules and the history make of it."""
    began = {attempt.attempt: attempt for attempt in whole.attempts if attempt.case is not None and attempt.state == "ACCEPTED"}
    if not began and not whole.cases and not any(attempt.given for attempt in whole.attempts):
        return None
    wrong = [f"attempt {number} began no round" for number in began.keys() - {case.attempt for case in whole.cases}]
    for case in whole.cases:
        its = began.get(case.attempt)
        if its is None or its.case is None or _begin(its.case) != _begin(case):
            wrong.append(f"round {case.round.number} is not as attempt {case.attempt} began it")
        elif _replayed(case, whole, last=case is whole.cases[-1]) != case.round:
            wrong.append(f"approvals of round {case.round.number} are not what its history makes of them")
    if [case.round.number for case in whole.cases] != list(range(1, len(whole.cases) + 1)):
        wrong.append(f"rounds {[case.round.number for case in whole.cases]}")
    wrong += [text for attempt in whole.attempts for text in _given(attempt, whole)]
    return "; ".join(wrong)


def _begin(case: Case) -> tuple[object, ...]:
    """What a round begins with."""
    round = case.round
    return round.number, round.user_id, round.groups, case.attempt, case.begin_time, case.rules, case.subject


def _replayed(case: Case, whole: Whole, *, last: bool) -> Round:
    """The round as it became, worked out anew."""
    evaluate = ApprovalExpressions().judge(case.rules, case.subject)
    round = begin(case.round.number, case.round.user_id, case.round.groups, evaluate, case.begin_time)
    for event in _decisions(case, whole.events.values(), last):
        rules, said = [str(rule) for rule in _listed(event)], str(event.data.get("comment", ""))
        if event.type in ("approval_given", "order_approved"):
            round = approve(round, rules, event.user_id, said, evaluate, event.time)
        elif event.type == "order_declined":
            round = decline(round, rules, event.user_id, said, event.time)
        else:
            round = withdraw(round, event.time)
    return round


def _decisions(case: Case, events: Iterable[Event], last: bool) -> Iterator[Event]:
    """What was decided in a round, in its order; a cancel ends the last."""
    for event in sorted(events, key=lambda event: event.sequence):
        canceled = event.type == "order_canceled" and last and event.time >= case.begin_time
        if canceled or (event.type in _DECISIONS and event.data.get("round") == case.round.number):
            yield event


def _listed(event: Event) -> Sequence[object]:
    rules = event.data.get("approval_rules", [])
    return rules if isinstance(rules, list) else []


def _given(attempt: Attempt, whole: Whole) -> Iterator[str]:
    """An attempt that gives approvals names those that it has given, and their round."""
    given = attempt.given
    if given is None:
        return
    case = next((case for case in whole.cases if case.round.number == given.round), None)
    if case is None or case.begin_time != given.round_time:
        yield f"attempt {attempt.attempt} gives approvals of round {given.round}"
        return
    if attempt.state != "ACCEPTED":
        return
    by = {(a.user_id, a.comment) for a in case.round.approvals if a.rule_id in given.rule_ids}
    if by != {(given.by.user_id, given.by.comment)}:
        yield f"attempt {attempt.attempt} gives {', '.join(given.rule_ids)} of round {given.round}, which others have given"
