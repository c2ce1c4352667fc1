"""Whatever happens to an order's payments, in whatever order a gateway answers: at rest it holds what the order wants.

`WAYBILL_TEST_PAYMENT_SEQUENCES` sets how many sequences are tried.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.payment.application.attempts.reserve_payments import Step
from services.payment.application.payments.order_payments import Draft
from services.payment.domain.payments.states import ENDS, PERMANENT, State
from services.payment.domain.payments.transaction import Cause, Result, TransactionType
from services.payment.domain.payments.types import Holding
from tests.unit.payment.builders import ORDER
from tests.unit.payment.life import REF, TOTAL, Life

FEW = 60
SEQUENCES = int(os.environ.get("WAYBILL_TEST_PAYMENT_SEQUENCES", FEW))
MOODS = st.sampled_from(["approve", "approve", "approve", "decline", "silent", "late"])
CARDS = st.sampled_from(["card", "second"])
AMOUNTS = st.sampled_from([None, 1, 3, 5, 10, 15, 20, 40])
SOON = timedelta(seconds=20)


def is_open(machine: Any) -> bool:
    """Whether the order opened and has not ended."""
    return bool(machine.opened) and not machine.life.over


class LifeOfPayments(RuleBasedStateMachine):
    """An order paid by an account, a promise and two cards: nearly always it opens at once, and the rest is its life."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.attempt, self.changes, self.due = 0, 0, TOTAL
        self.last_word = "cancel"

    @property
    def opened(self) -> bool:
        return self._stands() == "CONFIRMED"

    def _stands(self) -> str:
        return self.life.memory.attempts.get((ORDER, self.attempt), "")

    @initialize(at_once=st.integers(0, 9), last_word=st.sampled_from(["cancel", "order ends", "person"]))
    def the_order_opens(self, at_once: int, last_word: str) -> None:
        self.last_word = last_word
        if at_once:
            self.submit("approve")
            self.confirm()

    @precondition(lambda self: self._stands() not in ("RESERVED", "CONFIRMED") and not self.life.over)
    @rule(mood=MOODS)
    def submit(self, mood: str) -> None:
        self.life.gateway.mood = mood
        step = Step(self.attempt + 1, self.life.clock.now() + SOON, False, True)
        if self.life.run(self.life.reserve(REF, step, [])).state == "RESERVED":
            self.attempt += 1
            self.authorize(mood)

    @precondition(lambda self: self._stands() == "RESERVED")
    @rule(mood=MOODS)
    def authorize(self, mood: str) -> None:
        self.life.gateway.mood = mood
        self.life.run(self.life.authorize(ORDER, self.attempt, self.life.clock.now() + SOON))

    @precondition(lambda self: self._stands() == "RESERVED")
    @rule()
    def confirm(self) -> None:
        if all(p.state is State.AUTHORIZED for p in self.life.cards):
            self.life.run(self.life.end.confirm(ORDER, self.attempt))

    @precondition(lambda self: self._stands() == "RESERVED")
    @rule(mood=MOODS)
    def release(self, mood: str) -> None:
        self.life.gateway.mood = mood
        self.life.run(self.life.end.release(ORDER, self.attempt))

    @precondition(is_open)
    @rule(mood=MOODS, rarely=st.integers(0, 3))
    def cancel(self, mood: str, rarely: int) -> None:
        if not rarely:
            self.life.gateway.mood, self.life.over = mood, True
            self.life.run(self.life.void(ORDER))

    @precondition(is_open)
    @rule(rarely=st.integers(0, 3))
    def order_ends(self, rarely: int) -> None:
        self.life.over = not rarely

    @precondition(is_open)
    @rule(mood=MOODS, less=st.sampled_from([1, 5, 10, 20, 60]))
    def lower(self, mood: str, less: int) -> None:
        self.life.gateway.mood, self.changes, self.due = mood, self.changes + 1, max(self.life.shipped, self.due - less)
        self.life.run(self.life.lower(ORDER, self.changes, self.due))

    @precondition(is_open)
    @rule(mood=MOODS, more=st.sampled_from([0, 1, 5, 20, 40, 140]))
    def ship(self, mood: str, more: int) -> None:
        """What has shipped is asked for again and again, also while answers are missing; it is never taken twice."""
        life = self.life
        life.gateway.mood, life.shipped = mood, min(self.due, life.shipped + more)
        before, asked = set(life.memory.rows), self._asked()
        life.run(life.capture_shipped(ORDER, life.shipped))
        made = [row.amount for id, row in life.memory.rows.items() if id not in before and row.cause is Cause.SHIPMENT]
        assert sum(made) <= max(0, life.shipped - asked)

    def _asked(self) -> int:
        """What is taken or asked for of what the payments stand for."""
        asked = [row for row in self.life.memory.rows.values() if row.type is TransactionType.CAPTURE]
        cards = {p.id: p for p in self.life.cards if p.state in PERMANENT}
        sums = dict.fromkeys(cards, 0)
        for row in asked:
            if row.payment_id in cards and row.result is not Result.DECLINED:
                sums[row.payment_id] += row.amount
        others = [p.due for p in self.life.memory.payments.values() if p.id not in cards and p.state in PERMANENT]
        return sum(min(cards[id].due, amount) for id, amount in sums.items()) + sum(others)

    @precondition(lambda self: self.opened)
    @rule(mood=MOODS, id=CARDS, amount=AMOUNTS)
    def capture(self, mood: str, id: str, amount: int | None) -> None:
        self.life.gateway.mood = mood
        self.life.run(self.life.move.capture(id, amount, "USD", None))

    @precondition(lambda self: self.opened)
    @rule(mood=MOODS, id=st.sampled_from(["card", "second", "account", "promise"]), amount=AMOUNTS)
    def refund(self, mood: str, id: str, amount: int | None) -> None:
        self.life.gateway.mood = mood
        self.life.run(self.life.move.refund(id, amount, "USD", None))

    @precondition(lambda self: self.opened)
    @rule(mood=MOODS, id=CARDS, rarely=st.integers(0, 3))
    def void(self, mood: str, id: str, rarely: int) -> None:
        self.life.gateway.mood = mood
        if not rarely:
            self.life.run(self.life.move.void(id, None))

    @precondition(lambda self: self.opened)
    @rule(mood=MOODS, days=st.sampled_from([1, 3, 7, 8]))
    def time_passes(self, mood: str, days: int) -> None:
        """Authorizations lapse after seven days."""
        self.life.gateway.mood = mood
        self.life.clock.advance(timedelta(days=days))
        self.life.run(self.life.renew.once())

    @precondition(lambda self: is_open(self) and self.life.first_lapse())
    @rule(mood=MOODS)
    def a_renewal_is_due(self, mood: str) -> None:
        """On the last day of the authorization that lapses first."""
        left = self.life.first_lapse() - self.life.clock.now() - timedelta(hours=20)
        self.life.gateway.mood = mood
        self.life.clock.advance(max(left, timedelta(0)))
        self.life.run(self.life.renew.once())

    @precondition(lambda self: is_open(self) and any(p.state is State.ATTENTION for p in self.life.cards))
    @rule(mood=MOODS, means=st.sampled_from(["credit_card", "credit_card", "spending_account", "purchase_order"]), amount=AMOUNTS)
    def replace(self, mood: str, means: str, amount: int | None) -> None:
        """What stands there when the answer is known at once is exactly what was asked for, or less."""
        self.life.gateway.mood = mood
        account = "gift" if means == "spending_account" else ""
        card = "card" if means == "credit_card" else ""
        draft = Draft("", means, amount, spending_account_id=account, credit_card_id=card)
        before = self.life.uncovered()
        made = self.life.run(self.life.replace(REF, [draft], None))
        if not isinstance(made, list):
            assert self.life.uncovered() == before, "refused, it changes nothing"
        elif made[0].state is State.CONFIRMED:
            assert self.life.uncovered() == before - made[0].due
        else:
            assert self.life.uncovered() == before, "nothing is given up before the new one is good"

    @precondition(lambda self: self.life.gateway.under_way)
    @rule()
    def what_was_under_way_arrives(self) -> None:
        self.life.gateway.arrive()

    @precondition(lambda self: self.life.waiting())
    @rule(mood=MOODS, which=st.integers(0, 1_000), again=st.booleans())
    def answer(self, mood: str, which: int, again: bool) -> None:
        """In any order, and twice."""
        waiting = self.life.waiting()
        self.life.gateway.mood = mood
        for _ in range(1 + again):
            self.life.run(self.life.settle.settle(waiting[which % len(waiting)]))

    @invariant()
    def books_are_balanced(self) -> None:
        self.life.check_books()

    def teardown(self) -> None:
        try:
            if self._stands() == "RESERVED":
                self.release("approve")
            self._check_at_rest()
            if self.opened:
                self._check_shipped()
                getattr(self, "_" + self.last_word.replace(" ", "_"))()
            for p in self.life.cards:
                if p.state is State.ATTENTION:
                    # The gateway declined to void what a refused attempt left: a person asks again.
                    self.life.run(self.life.move.void(p.id, None))
            for p in self.life.cards:
                assert p.state in {State.OPEN, *ENDS, State.CAPTURED}
                assert not self.life.gateway.held(p)
        finally:
            self.life.loop.close()

    def _check_at_rest(self) -> None:
        self.life.come_to_rest()
        self.life.check_books()
        self.life.check_at_rest()

    def _check_shipped(self) -> None:
        """Asked once more, nothing of what has shipped is missing, unless a person has to look."""
        self.life.run(self.life.capture_shipped(ORDER, self.life.shipped))
        self._check_at_rest()
        assert not self.life.missing or any(p.state is State.ATTENTION for p in self.life.cards)

    def _cancel(self) -> None:
        """The order's cancel, which is repeated until the gateway does it, ends every payment."""
        self.life.over = True
        self.life.run(self.life.void(ORDER))
        self._check_at_rest()
        assert {p.state for p in self.life.memory.payments.values()} <= ENDS

    def _order_ends(self) -> None:
        """Of an order that has ended nothing is held for ever: what is not captured lapses, or waits for a person."""
        self.life.over = True
        self.life.clock.advance(timedelta(days=8))
        self._check_at_rest()
        for p in self.life.cards:
            assert p.state in {*ENDS, State.CAPTURED, State.ATTENTION}
            assert p.state is State.ATTENTION or not self.life.gateway.held(p)
        self._person()

    def _person(self) -> None:
        """A person who gives back what is held of an order that has ended, and then what was taken, comes to an end too."""
        self.life.over = True
        for p in list(self.life.memory.payments.values()):
            if p.holding is Holding.GATEWAY:
                self.life.run(self.life.move.void(p.id, None))
                self._check_at_rest()
            self.life.run(self.life.move.refund(p.id, None, "USD", None))
            assert self.life.memory.payments[p.id].state in ENDS


TestLifeOfPayments: Any = LifeOfPayments.TestCase
TestLifeOfPayments.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=30,
    deadline=None,
    derandomize=SEQUENCES <= FEW,
    suppress_health_check=list(HealthCheck),
)
