"""What a gateway's answer does to a payment, and how much may still be captured or refunded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.errors import precondition
from services.payment.domain.attempt import Change
from services.payment.domain.payment import Payment
from services.payment.domain.states import Event, State, allows, conflict, move
from services.payment.domain.transaction import Cause, Transaction, TransactionType, canceled, pending
from services.payment.domain.types import Holding


def authorized(payment: Payment, approved: bool, now: datetime, expire: datetime | None = None) -> Payment:
    """The answer to an authorization that is still wanted, and when it lapses."""
    if not approved:
        return payment.moved(Event.DECLINE, now, accepted=False)
    return payment.moved(Event.APPROVE, now, accepted=True, authorization_expire_time=expire)


def settled(payment: Payment, asked: Transaction, approved: bool, now: datetime, rows: Sequence[Transaction] = ()) -> Change:
    """The answer to a void, a capture or a refund. `rows` are the payment's transactions, which a capture looks at."""
    if asked.type is TransactionType.VOID:
        return _voided(payment, asked, approved, now)
    if asked.type is TransactionType.CAPTURE:
        return _captured(payment, asked, approved, now, canceled(rows))
    return _refunded(payment, asked, approved, now)


def _voided(p: Payment, asked: Transaction, approved: bool, now: datetime) -> Change:
    # The rest of a captured authorization, or one of an earlier attempt, ends without changing the payment's state.
    if p.state is not State.VOID_PENDING or p.attempt != asked.attempt:
        return Change(p)
    if not approved:
        return Change(p.moved(Event.ALARM, now))
    return Change(p.moved(Event.VOID if asked.cause is Cause.CANCEL else Event.CLEAR, now))


def _captured(p: Payment, asked: Transaction, approved: bool, now: datetime, unwanted: bool) -> Change:
    if not approved:
        return Change(p)
    # Money that was taken although the order was canceled meanwhile must be seen by a person.
    event = Event.ALARM if unwanted or not allows(p.state, Event.CAPTURE) else Event.CAPTURE
    return Change(p.moved(event, now, captured=p.captured + asked.amount), taken=asked.amount)


def _refunded(p: Payment, asked: Transaction, approved: bool, now: datetime) -> Change:
    if not approved:
        # Nobody waits for the answer when an order was canceled.
        alarm = asked.cause is Cause.CANCEL and allows(p.state, Event.ALARM)
        return Change(p.moved(Event.ALARM, now) if alarm else p)
    event = Event.REFUND_ALL if asked.amount == p.taken else Event.REFUND_PART
    return Change(p.moved(event, now, refunded=p.refunded + asked.amount), returned=asked.amount)


def capture_amount(payment: Payment, wanted: int | None, rows: Sequence[Transaction]) -> int:
    """What to capture: `wanted`, or all that is authorized and not captured.

    Raises `PAYMENT_STATE_CONFLICT` and `CAPTURE_EXCEEDS_AUTHORIZATION`.
    """
    if payment.holding is not Holding.GATEWAY:
        raise conflict(payment.id, payment.state, f"capture: a {payment.type} is taken when its order is confirmed")
    move(payment.id, payment.state, Event.CAPTURE)
    if canceled(rows):
        raise conflict(payment.id, payment.state, "capture: its order is canceled")
    left = payment.due - payment.captured - pending(rows, TransactionType.CAPTURE)
    amount = left if wanted is None else wanted
    if not 0 < amount <= left:
        text = f"payment {payment.id} has less left to capture"
        raise precondition("CAPTURE_EXCEEDS_AUTHORIZATION", text, payment=payment.id)
    return amount


def refund_amount(payment: Payment, wanted: int | None, rows: Sequence[Transaction]) -> int:
    """What to refund: `wanted`, or all that was taken and not refunded.

    Raises `PAYMENT_STATE_CONFLICT` and `REFUND_EXCEEDS_CAPTURE`.
    """
    move(payment.id, payment.state, Event.REFUND_PART)
    left = payment.taken - pending(rows, TransactionType.REFUND)
    amount = left if wanted is None else wanted
    if not 0 < amount <= left:
        text = f"payment {payment.id} has less left to refund"
        raise precondition("REFUND_EXCEEDS_CAPTURE", text, payment=payment.id)
    return amount
