"""How payments share a total, and what accounts give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payment.domain.attempts.attempt import PASSING, judge
from services.payment.domain.means.means import Means, demands, unusable
from services.payment.domain.payments.payment import misstated, resolve
from services.payment.domain.payments.states import State
from services.payment.domain.payments.types import Holding, behavior
from tests.unit.payment.builders import NOW, a_card, a_payment, an_account

AMOUNTS = st.lists(st.one_of(st.none(), st.integers(1, 10**12)), max_size=20)


@given(AMOUNTS, st.integers(0, 10**13), st.booleans())
def test_resolved_amounts_are_the_total_where_nothing_is_wrong(amounts: list[int | None], total: int, must_cover: bool) -> None:
    payments = [a_payment(f"p{i}", amount=amount) for i, amount in enumerate(amounts)]
    resolved, problems = resolve(payments, total, must_cover)
    shares = [p.due for p in resolved]
    fixed = sum(a for a in amounts if a is not None)
    rests = amounts.count(None)
    assert all(share >= 0 for share in shares)
    assert all(p.amount in (None, p.due) for p in resolved)
    reasons = {p.reason for p in problems}
    assert ("PAYMENT_EXCEEDS_TOTAL" in reasons) == (fixed > total)
    assert ("PAYMENT_REST_REPEATED" in reasons) == (rests > 1)
    assert ("PAYMENTS_BELOW_TOTAL" in reasons) == (must_cover and rests == 0 and fixed < total)
    if not problems:
        assert sum(shares) <= total
        if must_cover or rests:
            assert sum(shares) == total


@given(AMOUNTS, st.booleans())
def test_before_there_is_a_total_only_a_second_rest_is_wrong(amounts: list[int | None], may_exceed: bool) -> None:
    payments = [a_payment(f"p{i}", amount=amount) for i, amount in enumerate(amounts)]
    rests = [p.id for p in payments if p.amount is None]
    found = [(p.payment_id, p.reason, p.field) for p in misstated(payments, None, may_exceed)]
    assert found == [(id, "PAYMENT_REST_REPEATED", "amount") for id in rests[1:]]
    with_total = {p.reason for p in misstated(payments, 0, may_exceed)} - {"PAYMENT_REST_REPEATED"}
    assert with_total == ({"PAYMENT_EXCEEDS_TOTAL"} if any(amounts) and not may_exceed else set())


@given(AMOUNTS, st.integers(0, 10**13), st.booleans())
def test_what_is_above_the_total_is_not_taken_of_the_last_where_the_channel_admits_it(
    amounts: list[int | None], total: int, must_cover: bool
) -> None:
    payments = [a_payment(f"p{i}", amount=amount) for i, amount in enumerate(amounts)]
    resolved, problems = resolve(payments, total, must_cover, may_exceed=True)
    strict, _ = resolve(payments, total, must_cover)
    fixed = sum(a for a in amounts if a is not None)
    assert "PAYMENT_EXCEEDS_TOTAL" not in {p.reason for p in problems}
    assert sum(p.due for p in resolved) == (total if fixed >= total or None in amounts else fixed)
    assert all(p.amount in (None, p.due + p.surplus) and p.surplus >= 0 for p in resolved)
    if fixed <= total:
        assert resolved == strict
    else:
        cut = next(i for i, p in enumerate(resolved) if p.surplus)
        assert not any(p.due for p in resolved[cut + 1 :])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100)), max_size=20),
    st.fixed_dictionaries({k: st.tuples(st.integers(0, 200), st.integers(0, 100)) for k in "abc"}),
)
def test_accounts_are_never_oversold(drawn: list[tuple[str, int]], balances: dict[str, tuple[int, int]]) -> None:
    accounts = {k: an_account(k, balance, reserved) for k, (balance, reserved) in balances.items()}
    payments = [
        a_payment(f"p{i}", "spending_account", spending_account_id=k, resolved_amount=amount)
        for i, (k, amount) in enumerate(drawn)
    ]
    wanted, problems = demands(payments, accounts)
    assert list(wanted) == sorted(wanted)
    for id, demand in wanted.items():
        assert demand.amount == sum(amount for k, amount in drawn if k == id)
        refused = [p for p in problems if payments[int(p.payment_id[1:])].spending_account_id == id]
        fits = demand.amount <= accounts[id].balance - accounts[id].reserved
        assert fits == (not refused)
        if refused:
            assert refused[-1].contended == (demand.amount <= accounts[id].balance)


def test_the_users_own_assignment_beats_that_of_the_whole_buyer() -> None:
    account = an_account(users={"": True, "anna": False})
    assert not account.allows_exceed("anna")
    assert account.allows_exceed("bob")
    assert not an_account(users={"": False}).allows_exceed("bob")


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"users": {"anna": False}}, []),
        ({"users": {"bob": False}}, ["SPENDING_ACCOUNT_NOT_FOUND"]),
        ({"buyer_id": "other"}, ["SPENDING_ACCOUNT_NOT_FOUND"]),
        ({"currency": "EUR"}, ["CURRENCY_MISMATCH"]),
        ({"active": False}, ["SPENDING_ACCOUNT_EXPIRED"]),
        ({"start_time": NOW}, []),
        ({"start_time": NOW + timedelta(seconds=1)}, ["SPENDING_ACCOUNT_EXPIRED"]),
        ({"end_time": NOW}, ["SPENDING_ACCOUNT_EXPIRED"]),
        ({"end_time": NOW + timedelta(seconds=1)}, []),
    ],
)
def test_an_account_pays_for_its_users_in_its_time(changes: dict[str, object], reasons: list[str]) -> None:
    p = a_payment(type="spending_account", spending_account_id="gift")
    means = Means({"gift": an_account(**changes)}, {})
    assert [x.reason for x in unusable([p], means, NOW)] == reasons
    assert [x.reason for x in unusable([p], Means({}, {}), NOW)] == ["SPENDING_ACCOUNT_NOT_FOUND"]


@pytest.mark.parametrize(("user", "usable"), [("", True), ("anna", True), ("bob", False)])
def test_a_card_pays_for_its_user_or_its_company(user: str, usable: bool) -> None:
    p = a_payment(type="credit_card", credit_card_id="card")
    found = unusable([p], Means({}, {"card": a_card(user_id=user)}), NOW)
    assert (not found) == usable


def test_every_state_but_open_keeps_a_payment_from_being_reserved() -> None:
    for state in State:
        found = judge([a_payment(state=state)], 10, "USD", False, Means({}, {}), NOW).problems
        assert [(p.reason, p.contended) for p in found] == (
            [] if state is State.OPEN else [("PAYMENT_STATE_CONFLICT", state in PASSING)]
        )


def test_a_payment_in_another_currency_is_refused() -> None:
    found = judge([a_payment(currency="EUR")], 10, "USD", False, Means({}, {}), NOW).problems
    assert [p.reason for p in found] == ["CURRENCY_MISMATCH"]


def test_a_type_says_what_holds_its_money_and_one_of_before_is_a_promise() -> None:
    assert behavior("loyalty_points").holding is Holding.NOTHING
    assert behavior("purchase_order").accepted_at_once
    assert behavior("spending_account").accepted_at_once
    assert not behavior("credit_card").accepted_at_once
