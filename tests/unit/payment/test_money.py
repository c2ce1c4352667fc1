"""Whatever happens to payments in whatever order, the ledger adds up and nobody gets money that was not taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libs.errors import WaybillError
from services.payment.domain import ledger
from services.payment.domain.attempt import Change, cancel, confirm, release, reserve
from services.payment.domain.payment import Payment, resolve
from services.payment.domain.settlement import authorized, capture_amount, refund_amount, settled
from services.payment.domain.states import Event, State
from services.payment.domain.transaction import Cause, Entry, Result, Transaction, TransactionType
from tests.unit.payment.builders import NOW, a_payment

TOTAL = 100
START = 1_000


class Books(RuleBasedStateMachine):
    """One order paid by account, card and promise, through any sequence of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.payments = [
            a_payment("account", "spending_account", 40, spending_account_id="gift"),
            a_payment("card", "credit_card", 35, credit_card_id="card"),
            a_payment("promise"),
        ]
        self.attempt = 0
        self.decided = True
        self.canceled = False
        self.pending: list[tuple[str, Transaction]] = []
        self.sides: dict[str, int] = {}
        self.balance = START
        self.reserved = 0
        self.count = 0

    def book(self, changes: Sequence[Change]) -> None:
        """What RecordChanges does."""
        for change in changes:
            self.put(change.payment)
            self.reserved -= change.freed
            row = self.row(change.payment, change.entry) if change.entry else None
            self.post(change)
            if row is not None and row.result is Result.PENDING:
                self.pending.append((change.payment.id, row))

    def post(self, change: Change) -> None:
        """Movements of a change."""
        made = []
        if change.taken:
            made.append(ledger.taken("m", change.payment, change.taken, "test", ""))
        if change.returned:
            made.append(ledger.returned("m", change.payment, change.returned, "test", ""))
        for movement in made:
            for side in movement.sides:
                self.sides[side.account] = self.sides.get(side.account, 0) + side.amount
        self.balance += sum(ledger.account_gains(made).values())

    def row(self, payment: Payment, entry: Entry) -> Transaction:
        """A transaction of an entry."""
        self.count += 1
        return Transaction(
            f"t{self.count}",
            payment.id,
            entry.type,
            Result.PENDING if entry.pending else Result.SUCCEEDED,
            entry.amount,
            payment.attempt,
            NOW,
            entry.cause,
            payment.authorization_key,
        )

    def canceling(self, row: Transaction) -> list[Transaction]:
        """The row, and one of the order's cancel, if that has come."""
        return [row, replace(row, id="c", cause=Cause.CANCEL)] if self.canceled else [row]

    def put(self, payment: Payment) -> None:
        """Replaces a payment."""
        self.payments = [payment if p.id == payment.id else p for p in self.payments]

    def get(self, id: str) -> Payment:
        """A payment by id."""
        return next(p for p in self.payments if p.id == id)

    @rule()
    def reserve(self) -> None:
        if not self.decided or any(p.state is not State.OPEN for p in self.payments):
            return
        self.attempt += 1
        self.decided = False
        resolved, _ = resolve(self.payments, TOTAL, True)
        changes = reserve(resolved, self.attempt, NOW)
        self.reserved += 40
        self.book(changes)

    @rule(answer=st.sampled_from(["approve", "decline", "silence"]))
    def authorize(self, answer: str) -> None:
        card = self.get("card")
        if self.decided or card.state not in (State.RESERVED, State.AUTHORIZING):
            return
        asked = card if card.state is State.AUTHORIZING else card.moved(Event.ASK, NOW)
        self.put(asked if answer == "silence" else authorized(asked, answer == "approve", NOW))

    @rule()
    def confirm(self) -> None:
        if not self.decided:
            self.decided = True
            self.book(confirm(self.payments, NOW))

    @rule()
    def release(self) -> None:
        if not self.decided:
            self.decided = True
            self.book(release(self.payments, NOW))

    @rule(amount=st.integers(1, 50), type=st.sampled_from(["capture", "refund"]), silent=st.booleans())
    def move(self, amount: int, type: str, silent: bool) -> None:
        for payment in self.payments:
            rows = [row for id, row in self.pending if id == payment.id]
            decide = capture_amount if type == "capture" else refund_amount
            try:
                wanted = decide(payment, amount, rows)
            except WaybillError:
                continue
            kind = TransactionType.CAPTURE if type == "capture" else TransactionType.REFUND
            card = payment.id == "card"
            row = self.row(payment, Entry(kind, wanted, pending=card, cause=Cause.REQUEST))
            if silent and card:
                self.pending.append((payment.id, row))
                continue
            self.book([settled(payment, row, True, NOW, self.canceling(row))])

    @rule(approved=st.booleans(), which=st.integers(0, 5))
    def answer(self, approved: bool, which: int) -> None:
        if self.pending:
            id, row = self.pending.pop(which % len(self.pending))
            self.book([settled(self.get(id), row, approved, NOW, self.canceling(row))])

    @rule()
    def cancel(self) -> None:
        self.decided = True
        self.canceled = True
        rows = [row for _, row in self.pending]
        self.pending = [
            (id, replace(row, cause=Cause.CANCEL) if row.type is TransactionType.REFUND else row) for id, row in self.pending
        ]
        self.book(cancel(self.payments, rows, NOW))

    @invariant()
    def ledger_adds_up(self) -> None:
        assert sum(self.sides.values()) == 0

    @invariant()
    def balances_are_sums(self) -> None:
        assert self.balance == START + self.sides.get("spending_account:gift", 0)
        account = self.get("account")
        assert self.reserved == (account.due if account.state is State.RESERVED else 0)

    @invariant()
    def amounts_stay_in_bounds(self) -> None:
        for p in self.payments:
            assert 0 <= p.captured <= p.due
            assert 0 <= p.refunded <= (p.captured if p.id == "card" else p.due)
        card = self.get("card")
        assert -self.sides.get("gateway:test", 0) == card.captured - card.refunded

    @invariant()
    def nothing_is_kept_of_a_canceled_order(self) -> None:
        if self.canceled and not self.pending:
            assert self.balance == START
            assert self.sides.get("buyer:acme", 0) == 0
            card = self.get("card")
            assert card.captured == card.refunded or card.state is State.ATTENTION


TestBooks: Any = pytest.mark.filterwarnings("default")(Books.TestCase)
TestBooks.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)


def a_row(type: TransactionType, amount: int, cause: Cause, result: Result = Result.PENDING) -> Transaction:
    """A transaction of the card."""
    return Transaction("t", "card", type, result, amount, 1, NOW, cause)


def a_captured_card() -> Payment:
    """80 of 100 captured."""
    return a_payment("card", "credit_card", 100, resolved_amount=100, state=State.CAPTURED, captured=80, attempt=1)


def test_a_cancel_asks_for_what_is_not_on_its_way_back() -> None:
    on_its_way = a_row(TransactionType.REFUND, 10, Cause.REQUEST)
    asked = [change.entry for change in cancel([a_captured_card()], [on_its_way], NOW)]
    assert [(e.type, e.amount) for e in asked if e] == [(TransactionType.REFUND, 70), (TransactionType.VOID, 20)]


@pytest.mark.parametrize(("state", "recorded"), [(State.RESERVED, "RELEASE"), (State.CONFIRMED, "VOID")])
def test_a_cancel_releases_what_is_reserved_and_voids_what_is_confirmed(state: State, recorded: str) -> None:
    """A cancel may overtake the confirm: then nothing was taken, and nothing of it is voided."""
    account = a_payment("account", "spending_account", 30, spending_account_id="gift", resolved_amount=30, state=state, attempt=1)
    (change,) = cancel([account], [], NOW)
    assert change.entry is not None
    assert (change.payment.state, change.entry.type, change.entry.amount) == (State.VOIDED, recorded, 30)
    assert (change.freed, change.returned) == ((30, 0) if state is State.RESERVED else (0, 30))


def test_money_is_not_captured_of_a_canceled_order() -> None:
    rows = [a_row(TransactionType.REFUND, 80, Cause.CANCEL)]
    with pytest.raises(WaybillError, match="its order is canceled"):
        capture_amount(a_captured_card(), None, rows)
    late = a_row(TransactionType.CAPTURE, 20, Cause.REQUEST)
    assert settled(a_captured_card(), late, True, NOW, [late]).payment.state is State.CAPTURED
    assert settled(a_captured_card(), late, True, NOW, [late, *rows]).payment.state is State.ATTENTION


def test_a_movement_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        ledger.Movement("m", "USD", "", (ledger.Side("a", 1), ledger.Side("b", -2)))
