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
    """What has to be known before a submit begins."""

    rules: tuple[ApprovalRule, ...] = ()
    rounds: int = 0
    """Rounds of the order so far."""
    groups: frozenset[str] | None = None
    """Those of its user; None where nobody asked, as no rule held."""


NOTHING = Asked()


class BeginCase:
    """Asks the directory before the transaction in which a submit begins, and only if a rule holds."""

    def __init__(self, directory: Directory, expressions: Expressions) -> None:
        self._directory = directory
        self._expressions = expressions

    async def rules(self, work: OrderWork, order: Order) -> Asked:
        """The rules that an order is asked about. One that is not calculated is refused anyway."""
        if not order.calculated:
            return NOTHING
        return Asked(*await work.rounds.rules(order.buyer_id, order.key))

    async def groups(self, asked: Asked, order: Order, lines: Sequence[Line], now: datetime) -> Asked:
        """The same, with the groups of the order's user where they matter."""
        if not asked.rules:
            return asked
        if not self._expressions.read_groups(asked.rules) and not self._holds(asked.rules, order, lines, now):
            return asked
        return Asked(asked.rules, asked.rounds, frozenset(await self._directory.group_ids(order.user.id)))

    def case(self, asked: Asked, order: Order, lines: Sequence[Line], attempt: int, now: datetime) -> Case | None:
        """What is decided about before the order opens; None when no rule holds."""
        if asked.groups is None:
            return None
        subject = self._expressions.subject(order, lines, asked.groups, now)
        evaluate = self._expressions.judge(asked.rules, subject)
        made = begin(asked.rounds + 1, order.user.id, asked.groups, evaluate, now)
        return Case(made, attempt, now, asked.rules, subject) if made.approvals else None

    def given(self, case: Case, rule_ids: Collection[str], by: Actor, now: datetime) -> Case:
        """The case with these approvals given, and those opened that hold only now."""
        evaluate = self._expressions.judge(case.rules, case.subject)
        return case.becomes(approve(case.round, rule_ids, by.user_id, by.comment, evaluate, now))

    def _holds(self, rules: Sequence[ApprovalRule], order: Order, lines: Sequence[Line], now: datetime) -> bool:
        subject = self._expressions.subject(order, lines, (), now)
        return bool(self._expressions.judge(rules, subject)(frozenset()))
