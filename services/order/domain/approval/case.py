"""What is decided about: a round of approvals with all that its rules are asked by, as it was when it began."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.order.domain.approval.moves import Actor
from services.order.domain.approval.rounds import Evaluate, Round
from services.order.domain.approval.rules import ApprovalRule

PRICES_HOLD = timedelta(days=30)
"""For how long after a round has begun its order opens at the prices, taxes and shipping that were approved."""
Judge = Callable[[Sequence[ApprovalRule], bytes], Evaluate]
"""Asks rules about an order as it was kept when their round began."""


@dataclass(frozen=True, slots=True)
class Case:
    """A round and what is asked in it. Rules that change later, and an order whose data changes, change nothing of it."""

    round: Round
    attempt: int
    """Number of the submit that began it."""
    begin_time: datetime
    rules: tuple[ApprovalRule, ...]
    """Those of the buyer that were active."""
    subject: bytes
    """The order as their expressions see it: a serialized waybill.order.v1.ApprovalOrder."""

    @property
    def waits(self) -> bool:
        """Whether somebody has to decide something before the order opens."""
        return not self.round.settled

    def becomes(self, round: Round) -> Case:
        """The case with its round as it is then."""
        return replace(self, round=round)


@dataclass(frozen=True, slots=True)
class Given:
    """The last approvals of a round, which are given if the order can be submitted."""

    round: int
    round_time: datetime
    """When the round began."""
    rule_ids: tuple[str, ...]
    by: Actor

    def prices_hold(self, now: datetime) -> bool:
        """Whether the order opens as it was approved."""
        return now < self.round_time + PRICES_HOLD
