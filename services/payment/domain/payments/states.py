"""Where a payment stands and what moves it on: a table, checked for reachability."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from libs.errors import WaybillError, precondition
from waybill.payment.v1 import reasons


class State(StrEnum):
    """States of a payment, as its contract names them."""

    OPEN = "OPEN"
    RESERVED = "RESERVED"
    AUTHORIZING = "AUTHORIZING"
    AUTHORIZED = "AUTHORIZED"
    CONFIRMED = "CONFIRMED"
    VOID_PENDING = "VOID_PENDING"
    VOIDED = "VOIDED"
    CAPTURED = "CAPTURED"
    REFUNDED = "REFUNDED"
    ATTENTION = "ATTENTION"


PERMANENT: Final = frozenset({State.CONFIRMED, State.CAPTURED, State.REFUNDED, State.ATTENTION})
"""States of a payment whose order opened, unless nothing of it is left."""
ENDS: Final = frozenset({State.VOIDED, State.REFUNDED})
"""States in which nothing is held or kept; nothing has to follow."""


class Event(StrEnum):
    """What happens to a payment."""

    RESERVE = "RESERVE"
    ASK = "ASK"
    """A gateway is asked to authorize."""
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    CONFIRM = "CONFIRM"
    RELEASE = "RELEASE"
    DOUBT = "DOUBT"
    """A gateway holds something that is not wanted, or may hold it."""
    CLEAR = "CLEAR"
    """The gateway says that nothing is held; the payment can be used again."""
    VOID = "VOID"
    """Nothing is held, and nothing is due any more."""
    CAPTURE = "CAPTURE"
    """Money is taken."""
    CAPTURE_ALL = "CAPTURE_ALL"
    """All that is due is taken now."""
    REFUND_PART = "REFUND_PART"
    REFUND_ALL = "REFUND_ALL"
    """All that was taken went back, and nothing is held any more."""
    ALARM = "ALARM"
    """A gateway answered what should not be."""
    RENEW = "RENEW"
    """A new authorization stands for the one that would have lapsed."""
    LAPSE = "LAPSE"
    """The authorization that is needed lapses, and there is no new one."""
    SETTLE = "SETTLE"
    """What a person had to look at is in order: all that is due is taken, and nothing else."""


_S, _E = State, Event
TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (_S.OPEN, _E.RESERVE): _S.RESERVED,
    (_S.RESERVED, _E.ASK): _S.AUTHORIZING,
    (_S.AUTHORIZING, _E.APPROVE): _S.AUTHORIZED,
    (_S.AUTHORIZING, _E.DECLINE): _S.RESERVED,
    (_S.AUTHORIZING, _E.VOID): _S.VOIDED,
    (_S.RESERVED, _E.CONFIRM): _S.CONFIRMED,
    (_S.AUTHORIZED, _E.CONFIRM): _S.CONFIRMED,
    (_S.RESERVED, _E.RELEASE): _S.OPEN,
    # Its buyer has agreed to it before the submit: the authorization stays for the next one.
    (_S.AUTHORIZED, _E.RELEASE): _S.OPEN,
    (_S.OPEN, _E.DOUBT): _S.VOID_PENDING,
    (_S.AUTHORIZING, _E.DOUBT): _S.VOID_PENDING,
    (_S.AUTHORIZED, _E.DOUBT): _S.VOID_PENDING,
    (_S.CONFIRMED, _E.DOUBT): _S.VOID_PENDING,
    (_S.VOIDED, _E.DOUBT): _S.VOID_PENDING,
    (_S.ATTENTION, _E.DOUBT): _S.VOID_PENDING,
    (_S.VOID_PENDING, _E.CLEAR): _S.OPEN,
    (_S.VOID_PENDING, _E.VOID): _S.VOIDED,
    (_S.OPEN, _E.VOID): _S.VOIDED,
    (_S.RESERVED, _E.VOID): _S.VOIDED,
    (_S.CONFIRMED, _E.VOID): _S.VOIDED,
    (_S.ATTENTION, _E.VOID): _S.VOIDED,
    (_S.CONFIRMED, _E.CAPTURE): _S.CAPTURED,
    (_S.CAPTURED, _E.CAPTURE): _S.CAPTURED,
    (_S.ATTENTION, _E.CAPTURE): _S.ATTENTION,
    (_S.CONFIRMED, _E.CAPTURE_ALL): _S.CAPTURED,
    (_S.CAPTURED, _E.CAPTURE_ALL): _S.CAPTURED,
    (_S.ATTENTION, _E.CAPTURE_ALL): _S.CAPTURED,
    (_S.ATTENTION, _E.SETTLE): _S.CAPTURED,
    (_S.CONFIRMED, _E.RENEW): _S.CONFIRMED,
    (_S.CAPTURED, _E.RENEW): _S.CAPTURED,
    (_S.ATTENTION, _E.RENEW): _S.CONFIRMED,
    (_S.CONFIRMED, _E.LAPSE): _S.ATTENTION,
    (_S.CAPTURED, _E.LAPSE): _S.ATTENTION,
    (_S.ATTENTION, _E.LAPSE): _S.ATTENTION,
    (_S.CONFIRMED, _E.REFUND_PART): _S.CONFIRMED,
    (_S.CAPTURED, _E.REFUND_PART): _S.CAPTURED,
    (_S.ATTENTION, _E.REFUND_PART): _S.ATTENTION,
    (_S.CONFIRMED, _E.REFUND_ALL): _S.REFUNDED,
    (_S.CAPTURED, _E.REFUND_ALL): _S.REFUNDED,
    (_S.ATTENTION, _E.REFUND_ALL): _S.REFUNDED,
    (_S.RESERVED, _E.ALARM): _S.ATTENTION,
    (_S.AUTHORIZING, _E.ALARM): _S.ATTENTION,
    (_S.CONFIRMED, _E.ALARM): _S.ATTENTION,
    (_S.VOID_PENDING, _E.ALARM): _S.ATTENTION,
    (_S.VOIDED, _E.ALARM): _S.ATTENTION,
    (_S.CAPTURED, _E.ALARM): _S.ATTENTION,
    (_S.REFUNDED, _E.ALARM): _S.ATTENTION,
    (_S.ATTENTION, _E.ALARM): _S.ATTENTION,
}


def move(payment_id: str, state: State, event: Event) -> State:
    """The state after an event; raises `PAYMENT_STATE_CONFLICT` when the table has no such move."""
    target = TRANSITIONS.get((state, event))
    if target is None:
        raise conflict(payment_id, state, event.value.lower())
    return target


def conflict(payment_id: str, state: State, verb: str) -> WaybillError:
    """The error for what a state does not allow."""
    return precondition(
        reasons.PAYMENT_STATE_CONFLICT,
        f"payment {payment_id} is {state.value}: cannot {verb}",
        payment=payment_id,
        state=state.value,
    )


def allows(state: State, event: Event) -> bool:
    """Whether the table has the move."""
    return (state, event) in TRANSITIONS
