"""What accounts in a unit of the seller's own pay, and what goes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.errors import Violations
from libs.money import MICRO
from services.payment.domain.attempts.attempt import cancel, confirm, judge, release, reserve
from services.payment.domain.means.means import Account, Means
from services.payment.domain.money import ledger
from services.payment.domain.money.course import Course
from services.payment.domain.money.lowering import lower
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Cause, TransactionType
from services.payment.domain.payments.units import MOST, check, cost, given_back, is_unit, smallest
from tests.unit.payment.builders import NOW, a_payment, an_account

AMOUNTS = st.integers(1, 10**15)
RATES = st.integers(1, 1_000_000 * MICRO)
DIGITS = st.integers(0, 6)


def points(balance: int = 10_000, **more: object) -> Account:
    """An account of so many whole points, each worth a cent."""
    worth = {"currency": "PTS", "order_currency": "USD", "rate": 10_000, **more}
    return an_account("points", balance * MICRO, **worth)


def with_points(amount: int | None = None, **more: object) -> Payment:
    """A payment by that account."""
    return a_payment("p1", "spending_account", amount, spending_account_id="points", **more)


def paid(amount: int, **more: object) -> Payment:
    """A payment of an amount in micros that is confirmed."""
    judgment = judge([with_points(amount)], amount, "USD", True, Means({"points": points(**more)}, {}), NOW)
    assert not judgment.problems
    (held,) = reserve(judgment.payments, 1, NOW)
    (done,) = confirm([held.payment], NOW)
    return done.payment


@given(AMOUNTS, RATES, DIGITS)
def test_a_debit_is_the_fewest_units_that_are_worth_the_amount(amount: int, rate: int, digits: int) -> None:
    units, step = cost(amount, rate, digits), smallest("", digits)
    assert units % step == 0
    assert units * rate >= amount * MICRO > (units - step) * rate


@given(AMOUNTS, RATES, DIGITS, st.data())
def test_units_go_back_in_shares_that_never_exceed_the_debit_and_end_at_it(
    amount: int, rate: int, digits: int, data: st.DataObject
) -> None:
    debited = cost(amount, rate, digits)
    pieces = sorted(data.draw(st.lists(st.integers(0, amount), max_size=6)))
    back = [given_back(debited, digits, returned, amount) for returned in (0, *pieces, amount)]
    assert back == sorted(back)
    assert back[0] == 0
    assert back[-1] == debited


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        (("USD", 0, 0, ""), []),
        (("PTS", 0, 10_000, "USD"), []),
        (("A_1", 6, 1, "JPY"), []),
        (("", 0, 0, ""), ["it.currency"]),
        (("XQQ", 0, 0, ""), ["it.currency"]),
        (("pts", 0, 10_000, "USD"), ["it.currency"]),
        (("P", 0, 10_000, "USD"), ["it.currency"]),
        (("USD", 2, 10_000, "USD"), ["it.order_currency", "it.rate", "it.unit_digits"]),
        (("PTS", 7, 0, "XQQ"), ["it.order_currency", "it.rate", "it.unit_digits"]),
        (("PTS", -1, 1_000_001 * MICRO, "PTS"), ["it.order_currency", "it.rate", "it.unit_digits"]),
        (("PTS", 0, 0, "USD"), ["it.rate"]),
        (("PTS", 0, 10_000, ""), ["it.order_currency"]),
    ],
)
def test_a_unit_is_declared_whole_or_is_a_currency(said: tuple[str, int, int, str], fields: list[str]) -> None:
    found = Violations()
    check(found, "it", *said)
    assert sorted(v.field for v in found.items) == fields


def test_a_unit_is_called_by_capitals_and_digits() -> None:
    assert [code for code in ("USD", "PTS", "MILES_2", "Pts", "2PT", "P" * 21, "") if is_unit(code)] == ["USD", "PTS", "MILES_2"]


def test_what_is_drawn_is_units_and_what_does_not_suffice_is_refused() -> None:
    for balance, reserved, reasons in ((1_235, 0, []), (1_234, 0, ["BALANCE_EXCEEDED"]), (2_000, 766, ["BALANCE_EXCEEDED"])):
        account = points(balance, reserved=reserved * MICRO)
        judgment = judge([with_points()], 12_345_000, "USD", True, Means({"points": account}, {}), NOW)
        assert [(p.reason, p.contended) for p in judgment.problems] == [(r, bool(reserved)) for r in reasons]
        assert judgment.demands["points"].amount == 1_235 * MICRO, "12.345 dollars are 1,234.5 points"
        assert (judgment.payments[0].unit, judgment.payments[0].rate) == ("PTS", 10_000)


def test_more_than_a_balance_can_hold_is_refused_although_the_account_may_be_exceeded() -> None:
    account = points(rate=1, users={"": True})
    means = Means({"points": account}, {})
    assert not judge([with_points()], MOST // MICRO, "USD", True, means, NOW).problems
    assert [p.reason for p in judge([with_points()], MOST // MICRO + 1, "USD", True, means, NOW).problems] == ["BALANCE_EXCEEDED"]


def test_an_account_of_points_pays_orders_of_its_order_currency_only() -> None:
    means = Means({"points": points(order_currency="EUR")}, {})
    assert [p.reason for p in judge([with_points()], MICRO, "USD", True, means, NOW).problems] == ["CURRENCY_MISMATCH"]


def test_a_release_frees_the_units_and_forgets_the_rate() -> None:
    judgment = judge([with_points(MICRO)], MICRO, "USD", True, Means({"points": points()}, {}), NOW)
    (held,) = reserve(judgment.payments, 1, NOW)
    assert held.entry is not None
    assert held.entry.units == 100 * MICRO
    (free,) = release([held.payment], {}, NOW)
    (gone,) = cancel([held.payment], [], NOW)
    for change, state in ((free, State.OPEN), (gone, State.VOIDED)):
        p = change.payment
        assert (change.freed, change.entry and change.entry.units) == (100 * MICRO, 100 * MICRO)
        assert (p.state, p.unit, p.rate, p.debited_units, p.refunded_units) == (state, "", 0, 0, 0)


def test_refunds_in_pieces_give_back_all_units_with_the_last() -> None:
    course = Course(paid(10 * MICRO, rate=3 * MICRO), [], NOW)
    assert course.payment.debited_units == 4 * MICRO
    for _ in range(10):
        course.refund(MICRO, Cause.REQUEST)
    moved = [change.entry.units // MICRO for change in course.changes() if change.entry]
    assert (sum(moved), min(moved)) == (4, 0)
    assert (course.payment.state, course.payment.refunded_units) == (State.REFUNDED, 4 * MICRO)


def test_what_an_order_gives_up_and_its_cancel_together_give_back_the_debit() -> None:
    before = paid(10 * MICRO, rate=3 * MICRO)
    (less,) = lower([before], [], 5 * MICRO, NOW)
    assert less.entry is not None
    assert (less.entry.type, less.entry.units) == (TransactionType.REFUND, 2 * MICRO)
    (gone,) = cancel([less.payment], [], NOW)
    assert gone.entry is not None
    assert (gone.entry.type, gone.entry.units, gone.payment.refunded_units) == (TransactionType.VOID, 2 * MICRO, 4 * MICRO)


def test_the_ledger_moves_units_and_the_money_that_they_are_worth() -> None:
    p = paid(10 * MICRO)
    for moved, sign in ((ledger.taken, 1), (ledger.returned, -1)):
        money, units = moved("t", p, 10 * MICRO, p.debited_units, "", "")
        sides = [(s.account, s.amount * sign) for m in (money, units) for s in m.sides]
        assert (money.currency, units.currency) == ("USD", "PTS")
        assert sides == [
            ("marketplace:receipts", 10 * MICRO),
            ("marketplace:points", -10 * MICRO),
            ("marketplace:points", 1_000 * MICRO),
            ("spending_account:points", -1_000 * MICRO),
        ]
    assert [m.currency for m in ledger.returned("t", p, 1, 0, "", "")] == ["USD"], "less than half of a point goes back as none"
