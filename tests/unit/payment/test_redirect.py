"""An authorization that waits for its buyer: a table, and which of them a submit takes over."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from services.payment.domain.payments.states import State
from services.payment.domain.redirects.redirect import DUE, LIVE, Redirect, RedirectEvent, RedirectState, standing, unready
from tests.unit.payment.builders import NOW, ORDER, a_payment

S, E = RedirectState, RedirectEvent
LATER = NOW + timedelta(hours=1)
WANTED = {
    "ASKED": "WAIT:ACTION_REQUIRED APPROVE:AUTHORIZED DECLINE:DECLINED END:ENDING",
    "ACTION_REQUIRED": "APPROVE:AUTHORIZED DECLINE:DECLINED END:ENDING",
    "AUTHORIZED": "ADOPT:ADOPTED DECLINE:DECLINED END:ENDING",
    "ADOPTED": "LET_GO:AUTHORIZED",
    "DECLINED": "APPROVE:ENDING",
    "ENDING": "CLEAR:ENDED",
    "ENDED": "APPROVE:ENDING",
}
PAID = a_payment("p1", "credit_card", credit_card_id="card", resolved_amount=100, due=100)


def begun(**values: object) -> Redirect:
    """One that waits for the buyer of a payment of 100."""
    made = Redirect(
        id="red_1",
        order_key=ORDER,
        payment_id="p1",
        type="credit_card",
        credit_card_id="card",
        amount=100,
        currency="USD",
        return_url="https://shop.example/back",
        expire_time=LATER,
        create_time=NOW,
        update_time=NOW,
        state=S.AUTHORIZED,
    )
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)))
def test_it_moves_as_the_table_says_and_says_when_something_is_due(state: S, event: E) -> None:
    wanted = dict(pair.split(":") for pair in WANTED[state.value].split())
    after = begun(state=state).moved(event, NOW, NOW + timedelta(seconds=10))
    if event.value not in wanted:
        assert after is None
        return
    assert after is not None
    assert after.state.value == wanted[event.value]
    assert (after.ask_time is not None) == (after.state in DUE)
    if after.state in LIVE - {S.ASKED}:
        assert after.ask_time == LATER, "then it is voided"


@pytest.mark.parametrize(
    "values",
    [
        {"state": S.ACTION_REQUIRED},
        {"state": S.DECLINED},
        {"state": S.ADOPTED},
        {"amount": 99},
        {"currency": "EUR"},
        {"credit_card_id": "other"},
        {"payment_id": "p2"},
        {"expire_time": NOW},
    ],
)
def test_a_submit_takes_over_only_what_is_good_for_the_payment_as_it_is(values: dict[str, object]) -> None:
    good, problems = unready([PAID], {"p1"}, [begun()], NOW)
    assert (good["p1"].id, problems) == ("red_1", [])
    good, problems = unready([PAID], {"p1"}, [begun(**values)], NOW)
    assert (good, [p.reason for p in problems]) == ({}, ["PAYMENT_ACTION_REQUIRED"])


def test_what_waits_for_nobody_or_pays_nothing_needs_no_buyer() -> None:
    for payment, waiting in ((PAID, set()), (replace(PAID, due=0), {"p1"}), (replace(PAID, state=State.VOIDED), {"p1"})):
        assert unready([payment], waiting, [], NOW) == ({}, [])


def test_what_still_waits_is_not_begun_anew() -> None:
    assert standing(PAID, [begun(state=S.ASKED)], NOW) is not None
    assert standing(PAID, [begun(state=S.ENDING), begun(id="red_2", state=S.ACTION_REQUIRED)], NOW) is not None
    assert standing(PAID, [begun(state=S.ENDING), begun(state=S.DECLINED)], NOW) is None
