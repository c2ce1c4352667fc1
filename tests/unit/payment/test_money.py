"""What a cancel asks for, and what comes after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.errors import WaybillError
from services.payment.domain.attempts.attempt import cancel
from services.payment.domain.money import ledger
from services.payment.domain.money.settlement import answered, capture
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Cause, Result, Transaction, TransactionType
from tests.unit.payment.builders import NOW, a_payment


def a_row(type: TransactionType, amount: int, cause: Cause, result: Result = Result.PENDING) -> Transaction:
    """A transaction of the card."""
    return Transaction("t", "card", type, result, amount, 1, NOW, cause, "", "key")


def an_authorization() -> Transaction:
    """The card's, of 100, of which 80 are captured."""
    return a_row(TransactionType.AUTHORIZE, 100, Cause.SUBMIT, Result.SUCCEEDED)


def a_captured_card() -> Payment:
    """80 of 100 captured."""
    return a_payment("card", "credit_card", 100, resolved_amount=100, state=State.CAPTURED, captured=80, attempt=1)


def test_a_cancel_asks_for_what_is_not_on_its_way_back() -> None:
    on_its_way = a_row(TransactionType.REFUND, 10, Cause.REQUEST)
    taken = a_row(TransactionType.CAPTURE, 80, Cause.REQUEST, Result.SUCCEEDED)
    asked = [change.entry for change in cancel([a_captured_card()], [an_authorization(), taken, on_its_way], NOW)]
    assert [(e.type, e.amount) for e in asked if e] == [(TransactionType.REFUND, 70), (TransactionType.VOID, 20)]


@pytest.mark.parametrize(("state", "recorded"), [(State.RESERVED, "RELEASE"), (State.CONFIRMED, "VOID")])
def test_a_cancel_releases_what_is_reserved_and_voids_what_is_confirmed(state: State, recorded: str) -> None:
    """A cancel may overtake the confirm: then nothing was taken, and nothing of it is voided."""
    account = a_payment("account", "spending_account", 30, spending_account_id="gift", resolved_amount=30, state=state, attempt=1)
    (change,) = cancel([account], [], NOW)
    assert change.entry is not None
    assert (change.payment.state, change.entry.type, change.entry.amount) == (State.VOIDED, recorded, 30)
    assert (change.freed, change.returned) == ((30, 0) if state is State.RESERVED else (0, 30))


@pytest.mark.parametrize("type", ["spending_account", "purchase_order"])
def test_a_cancel_voids_what_a_person_has_not_given_back_before(type: str) -> None:
    payment = a_payment("p", type, 30, resolved_amount=30, state=State.CONFIRMED, attempt=1, refunded=10)
    (change,) = cancel([payment], [], NOW)
    assert change.entry is not None
    assert (change.entry.type, change.entry.amount, change.returned) == ("VOID", 20, 20)
    assert (change.payment.state, change.payment.refunded, change.payment.due) == (State.VOIDED, 30, 0)


def test_money_is_not_captured_of_a_canceled_order() -> None:
    rows = [an_authorization(), replace(a_row(TransactionType.REFUND, 80, Cause.CANCEL), id="r")]
    with pytest.raises(WaybillError, match="its order is canceled"):
        capture(a_captured_card(), None, rows, NOW)


def test_a_capture_that_comes_after_the_cancel_is_seen_by_a_person() -> None:
    late = a_row(TransactionType.CAPTURE, 20, Cause.REQUEST, Result.SUCCEEDED)
    canceled = replace(a_row(TransactionType.REFUND, 80, Cause.CANCEL), id="r")
    assert answered(a_captured_card(), late, True, [late], NOW)[-1].payment.state is State.CAPTURED
    assert answered(replace(a_captured_card(), due=0), late, True, [late, canceled], NOW)[-1].payment.state is State.ATTENTION


def test_a_movement_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        ledger.Movement("m", "USD", "", (ledger.Side("a", 1), ledger.Side("b", -2)))
