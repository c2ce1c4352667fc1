"""What a gateway's answer does to a payment, and how much may still be captured or refunded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from libs.errors import precondition
from services.payment.domain.money.authorization import Hold
from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import Event, State, allows, conflict, move
from services.payment.domain.payments.transaction import Cause, Entry, Transaction, TransactionType, canceled
from services.payment.domain.payments.types import Holding
from waybill.payment.v1 import reasons


def authorized(payment: Payment, approved: bool, now: datetime, expire: datetime | None = None) -> Payment:
    """The answer to an authorization that is still wanted, and when it lapses."""
    if not approved:
        return payment.moved(Event.DECLINE, now, accepted=False)
    return payment.moved(Event.APPROVE, now, accepted=True, authorization_expire_time=expire)


def answered(payment: Payment, asked: Transaction, approved: bool, rows: Sequence[Transaction], now: datetime) -> list[Change]:
    """What the gateway's answer to a transaction does. `rows` are the payment's transactions with the answer noted.

    An answer is about the authorization whose key it names, and about no other.
    """
    course = Course(payment, rows, now)
    _ANSWERS[asked.type](course, asked, approved)
    return course.changes()


def _authorization(course: Course, asked: Transaction, approved: bool) -> None:
    p = course.payment
    mine = next(a for a in course.authorizations if a.key == asked.authorization_key)
    if mine.hold is Hold.ENDING:
        return
    if not approved:
        if course.wants_hold and p.attempt == asked.attempt and p.state is not State.ATTENTION:
            course.move(Event.LAPSE)
        return
    if not course.wants_hold or p.attempt != asked.attempt:
        _unwanted(course, asked)
        return
    if mine.hold is not Hold.HELD:
        # The void found nothing held, and the approval came after that.
        course.record(Entry(TransactionType.VOID, asked.amount, True, Cause.RENEWAL, asked.authorization_key))
        return
    others = [a for a in course.held if a.key != asked.authorization_key]
    if others and asked.amount > p.uncaptured - course.pending(TransactionType.CAPTURE):
        # Money was taken meanwhile: what is left is still held, and renewed for less.
        course.record(Entry(TransactionType.VOID, asked.amount, True, Cause.RENEWAL, asked.authorization_key))
        return
    event = Event.SETTLE if p.state is State.ATTENTION and p.captured else Event.RENEW
    course.move(event, accepted=True)
    course.end(others, Cause.RENEWAL)


def _unwanted(course: Course, asked: Transaction) -> None:
    """Nobody waits for it any more: its attempt was released, or nothing is due."""
    cause = asked.cause if asked.cause is not Cause.SUBMIT or not canceled(course.rows) else Cause.CANCEL
    course.record(Entry(TransactionType.VOID, asked.amount, True, cause, asked.authorization_key))
    p = course.payment
    # A capture that is under way decides whether anything was taken: its answer ends the rest.
    kept = p.captured or course.pending(TransactionType.CAPTURE)
    if p.attempt == asked.attempt and not kept and allows(p.state, Event.DOUBT):
        course.move(Event.DOUBT, accepted=False)


def _void(course: Course, asked: Transaction, approved: bool) -> None:
    """What is still held says all that a void ends."""


def _capture(course: Course, asked: Transaction, approved: bool) -> None:
    p = course.payment
    if not approved:
        if asked.cause is Cause.SHIPMENT and course.wants_hold:
            # Nobody waits for the answer, and what has shipped is not paid.
            course.alarm()
        course.trim(Cause.CHANGE)
        return
    captured = p.captured + asked.amount
    # Money that was taken although the order was canceled meanwhile must be seen by a person.
    unwanted = canceled(course.rows) or not allows(p.state, Event.CAPTURE)
    event = Event.ALARM if unwanted else Event.CAPTURE_ALL if captured >= p.due else Event.CAPTURE
    course.move(event, captured=captured, accepted=True)
    course.settled(asked, taken=asked.amount)
    if not unwanted:
        course.give_back(Cause.CHANGE)
        course.trim(Cause.CHANGE)


def _refund(course: Course, asked: Transaction, approved: bool) -> None:
    if not approved:
        if asked.cause in (Cause.CANCEL, Cause.CHANGE):
            # Nobody waits for the answer.
            course.alarm()
        return
    course.move(Event.REFUND_PART, refunded=course.payment.refunded + asked.amount)
    course.settled(asked, returned=asked.amount)


_ANSWERS: dict[TransactionType, Callable[[Course, Transaction, bool], None]] = {
    TransactionType.AUTHORIZE: _authorization,
    TransactionType.VOID: _void,
    TransactionType.CAPTURE: _capture,
    TransactionType.REFUND: _refund,
}


def capture(payment: Payment, wanted: int | None, rows: Sequence[Transaction], now: datetime) -> list[Change]:
    """Takes `wanted`, or all that is due, authorized and not captured, of the newest authorization that is good.

    Raises `PAYMENT_STATE_CONFLICT` and `CAPTURE_EXCEEDS_AUTHORIZATION`.
    """
    course = Course(payment, rows, now)
    if payment.holding is not Holding.GATEWAY:
        outside = payment.holding is Holding.EXTERNAL
        when = "outside, which is recorded" if outside else "when its order is confirmed"
        raise conflict(payment.id, payment.state, f"capture: a {payment.type} is taken {when}")
    move(payment.id, payment.state, Event.CAPTURE)
    if canceled(course.rows):
        raise conflict(payment.id, payment.state, "capture: its order is canceled")
    held = course.held
    if payment.state is State.ATTENTION and not held:
        raise conflict(payment.id, payment.state, "capture: nothing is authorized")
    room = held[-1].room if held else 0
    left = min(room, payment.uncaptured - course.pending(TransactionType.CAPTURE))
    amount = left if wanted is None else wanted
    if not 0 < amount <= left:
        text = f"payment {payment.id} has less left to capture"
        raise precondition(reasons.CAPTURE_EXCEEDS_AUTHORIZATION, text, payment=payment.id)
    course.record(Entry(TransactionType.CAPTURE, amount, True, Cause.REQUEST, held[-1].key))
    return course.changes()


def refund(payment: Payment, wanted: int | None, rows: Sequence[Transaction], now: datetime) -> list[Change]:
    """Gives back `wanted`, or all that was taken and is not on its way back.

    Raises `PAYMENT_STATE_CONFLICT` and `REFUND_EXCEEDS_CAPTURE`.
    """
    course = Course(payment, rows, now)
    if payment.holding is Holding.EXTERNAL:
        raise conflict(payment.id, payment.state, f"refund: a {payment.type} goes back outside, which is recorded")
    move(payment.id, payment.state, Event.REFUND_PART)
    left = payment.taken - course.pending(TransactionType.REFUND)
    amount = left if wanted is None else wanted
    if not 0 < amount <= left:
        text = f"payment {payment.id} has less left to refund"
        raise precondition(reasons.REFUND_EXCEEDS_CAPTURE, text, payment=payment.id)
    course.refund(amount, Cause.REQUEST)
    return course.changes()
