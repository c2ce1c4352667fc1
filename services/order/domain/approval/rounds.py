"""A round of approvals: what the rules of a buyer want decided before one submitted version of an order opens.

A round begins when a submit matches a rule. It goes on as long as an approval is pending, and ends when the last one is given,
when one is declined, or when the order is recalled or canceled. What is decided in it is never undone: the next submit begins a
round of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class ApprovalStatus(StrEnum):
    """Where one approval stands. All but PENDING are final."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    """Nobody decided it: its round ended by another's decline, by a recall or by a cancel."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds for the order, and whose group therefore decides."""

    rule_id: str
    group_id: str
    error: str = ""
    """Why its expression could not be worked out: then the rule counts as one that holds, and the approvers see this."""


Evaluate = Callable[[frozenset[str]], Sequence[Match]]
"""The rules that hold, given the ids of those that are approved; for the same ids always the same, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What one rule wants decided in one round."""

    rule_id: str
    group_id: str
    status: ApprovalStatus
    create_time: datetime
    auto: bool = False
    """Whether it was given at once, because the order's own user is in the group."""
    error: str = ""
    user_id: str = ""
    """Who decided it; empty while it is pending, when it was given at once, and when it was withdrawn."""
    comment: str = ""
    complete_time: datetime | None = None

    @property
    def pending(self) -> bool:
        """Whether somebody has to decide it."""
        return self.status is ApprovalStatus.PENDING


@dataclass(frozen=True, slots=True)
class Round:
    """One round of an order."""

    number: int
    """Rounds of an order are numbered from 1."""
    user_id: str
    """The order's own user."""
    groups: frozenset[str]
    """The groups that the user was in when the round began."""
    approvals: tuple[Approval, ...] = ()
    """In the order in which they were opened; each rule has at most one."""

    @property
    def pending(self) -> tuple[Approval, ...]:
        """What has to be decided."""
        return tuple(approval for approval in self.approvals if approval.pending)

    @property
    def approved(self) -> frozenset[str]:
        """Rules that are approved, as expressions ask for them."""
        return frozenset(a.rule_id for a in self.approvals if a.status is ApprovalStatus.APPROVED)

    @property
    def settled(self) -> bool:
        """Whether every approval is given, so that the order may open."""
        return all(approval.status is ApprovalStatus.APPROVED for approval in self.approvals)


def begin(number: int, user_id: str, groups: Collection[str], evaluate: Evaluate, now: datetime) -> Round:
    """A new round. It is settled from the start when no rule holds, or only such whose group the order's own user is in."""
    return _opened(Round(number, user_id, frozenset(groups)), evaluate, now)


def approve(round: Round, rule_ids: Collection[str], user_id: str, comment: str, evaluate: Evaluate, now: datetime) -> Round:
    """The round with these pending approvals given, and those opened that only hold now. The caller has checked who decides."""
    given = _decided(round, rule_ids, ApprovalStatus.APPROVED, user_id, comment, now)
    return _opened(given, evaluate, now)


def decline(round: Round, rule_ids: Collection[str], user_id: str, comment: str, now: datetime) -> Round:
    """The round with these pending approvals declined, which ends it. The caller has checked who decides."""
    return withdraw(_decided(round, rule_ids, ApprovalStatus.DECLINED, user_id, comment, now), now)


def withdraw(round: Round, now: datetime) -> Round:
    """The round ended without what is pending in it."""
    return _decided(round, {a.rule_id for a in round.pending}, ApprovalStatus.WITHDRAWN, "", "", now)


def _decided(round: Round, rule_ids: Collection[str], status: ApprovalStatus, user_id: str, comment: str, now: datetime) -> Round:
    decided = (
        replace(a, status=status, user_id=user_id, comment=comment, complete_time=now)
        if a.pending and a.rule_id in rule_ids
        else a
        for a in round.approvals
    )
    return replace(round, approvals=tuple(decided))


def _opened(round: Round, evaluate: Evaluate, now: datetime) -> Round:
    """The round with an approval for every rule that holds. What is open stays, also when its rule no longer holds.

    Approvals of the user's own groups are given at once, which may make further rules hold: each pass opens at least one, so
    there are at most as many as rules.
    """
    while True:
        known = {approval.rule_id for approval in round.approvals}
        new = [_first(match, round.groups, now) for match in evaluate(round.approved) if match.rule_id not in known]
        if not new:
            return round
        round = replace(round, approvals=(*round.approvals, *new))


def _first(match: Match, groups: Collection[str], now: datetime) -> Approval:
    own = match.group_id in groups
    return Approval(
        rule_id=match.rule_id,
        group_id=match.group_id,
        status=ApprovalStatus.APPROVED if own else ApprovalStatus.PENDING,
        create_time=now,
        auto=own,
        error=match.error,
        complete_time=now if own else None,
    )
