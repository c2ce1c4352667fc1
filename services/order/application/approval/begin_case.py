"""Which approvals an order wants when it is submitted: the rules of its buyer are asked once, about the order as it is then."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.order.application.peers import Directory
from services.order.application.ports import OrderWork
from services.order.domain.approval.case import Case
from services.order.domain.approval.moves import Actor
from services.order.domain.approval.rounds import Evaluate, approve, begin
from services.order.domain.approval.rules import ApprovalRule
from services.order.domain.model import Line, Order


class Expressions(Protocol):
    """What rules are written in."""

    def read_groups(self, rules: Sequence[ApprovalRule]) -> bool:
        """Whether one of the rules asks for the groups of the order's user."""

    def subject(self, order: Order, lines: Sequence[Line], groups: Collection[str], now: datetime) -> bytes:
        """The order as they see it."""
        ...

    def judge(self, rules: Sequence[ApprovalRule], subject: bytes) -> Evaluate:
        """The rules that hold for it, as a round asks."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The rules that an order is asked about."""

    rules: tuple[ApprovalRule, ...] = ()
    rounds: int = 0
    """Rounds of the order so far."""


NOTHING = Asked()


class BeginCase:
    """Asks rules before the transaction in which a submit begins, and the directory only if a rule may hold: nothing of either is
    done while the order is locked. The submit sees to it that the order is still the one that was asked about."""

    def __init__(self, directory: Directory, expressions: Expressions) -> None:
        self._directory = directory
        self._expressions = expressions

    async def rules(self, work: OrderWork, order: Order) -> Asked:
        """The rules that an order is asked about. One that is not calculated is refused anyway."""
        if not order.calculated:
            return NOTHING
        return Asked(*await work.rounds.rules(order.buyer_id, order.key))

    async def case(self, asked: Asked, order: Order, lines: Sequence[Line], attempt: int, now: datetime) -> Case | None:
        """What is decided about before the order opens; None when no rule holds."""
        rules = asked.rules
        if not rules or not (self._expressions.read_groups(rules) or self._holds(rules, order, lines, now)):
            return None
        groups = frozenset(await self._directory.group_ids(order.user.id))
        subject = self._expressions.subject(order, lines, groups, now)
        made = begin(asked.rounds + 1, order.user.id, groups, self._expressions.judge(rules, subject), now)
        return Case(made, attempt, now, rules, subject) if made.approvals else None

    def given(self, case: Case, rule_ids: Collection[str], by: Actor, now: datetime) -> Case:
        """The case with these approvals given, and those opened that hold only now."""
        evaluate = self._expressions.judge(case.rules, case.subject)
        return case.becomes(approve(case.round, rule_ids, by.user_id, by.comment, evaluate, now))

    def _holds(self, rules: Sequence[ApprovalRule], order: Order, lines: Sequence[Line], now: datetime) -> bool:
        subject = self._expressions.subject(order, lines, (), now)
        return bool(self._expressions.judge(rules, subject)(frozenset()))
