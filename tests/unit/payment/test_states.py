"""Every state and every event."""

from __future__ import annotations

import itertools

import pytest

from libs.errors import WaybillError
from services.payment.domain.payments.states import ENDS, TRANSITIONS, Event, State, allows, move

WANTED = {
    "OPEN": "RESERVE:RESERVED DOUBT:VOID_PENDING VOID:VOIDED",
    "RESERVED": "ASK:AUTHORIZING CONFIRM:CONFIRMED RELEASE:OPEN VOID:VOIDED ALARM:ATTENTION",
    "AUTHORIZING": "APPROVE:AUTHORIZED DECLINE:RESERVED DOUBT:VOID_PENDING VOID:VOIDED ALARM:ATTENTION",
    "AUTHORIZED": "RELEASE:OPEN CONFIRM:CONFIRMED DOUBT:VOID_PENDING",
    "CONFIRMED": "DOUBT:VOID_PENDING VOID:VOIDED CAPTURE:CAPTURED CAPTURE_ALL:CAPTURED RENEW:CONFIRMED LAPSE:ATTENTION "
    "REFUND_PART:CONFIRMED REFUND_ALL:REFUNDED ALARM:ATTENTION",
    "VOID_PENDING": "CLEAR:OPEN VOID:VOIDED ALARM:ATTENTION",
    "VOIDED": "DOUBT:VOID_PENDING ALARM:ATTENTION",
    "CAPTURED": "CAPTURE:CAPTURED CAPTURE_ALL:CAPTURED RENEW:CAPTURED LAPSE:ATTENTION REFUND_PART:CAPTURED REFUND_ALL:REFUNDED "
    "ALARM:ATTENTION",
    "REFUNDED": "ALARM:ATTENTION",
    "ATTENTION": "DOUBT:VOID_PENDING VOID:VOIDED CAPTURE:ATTENTION CAPTURE_ALL:CAPTURED SETTLE:CAPTURED RENEW:CONFIRMED "
    "LAPSE:ATTENTION REFUND_PART:ATTENTION REFUND_ALL:REFUNDED ALARM:ATTENTION",
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_a_state_moves_as_the_table_says(state: State, event: Event) -> None:
    wanted = dict(pair.split(":") for pair in WANTED[state.value].split())
    if event.value in wanted:
        assert allows(state, event)
        assert move("p1", state, event).value == wanted[event.value]
        return
    assert not allows(state, event)
    with pytest.raises(WaybillError) as refused:
        move("p1", state, event)
    assert refused.value.reason == "PAYMENT_STATE_CONFLICT"
    assert refused.value.metadata == {"payment": "p1", "state": state.value}


def test_every_state_can_be_reached() -> None:
    reached, before = {State.OPEN}, set[State]()
    while reached != before:
        before = set(reached)
        reached |= {target for (state, _), target in TRANSITIONS.items() if state in reached}
    assert reached == set(State)


@pytest.mark.parametrize("state", list(State))
def test_every_state_leads_on_to_an_end(state: State) -> None:
    reached, before = {state}, set[State]()
    while reached != before:
        before = set(reached)
        reached |= {target for (source, _), target in TRANSITIONS.items() if source in reached}
    assert reached & ENDS


def test_every_event_moves_something() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)
