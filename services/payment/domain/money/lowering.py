"""What an order's payments stand for when it owes less, and when a person gives back what is held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, Event, State, conflict, move
from services.payment.domain.payments.transaction import Cause, Transaction, TransactionType, pending
from services.payment.domain.payments.types import Holding


def lower(payments: Sequence[Payment], rows: Sequence[Transaction], due: int, now: datetime) -> list[Change]:
    """Lowers what the payments of an open order stand for to `due` in all, and gives back what is beyond it.

    Each stands for less only as long as the sum is too high: what a person has given back first, where nothing is left to
    be taken; then what cards have not taken, the newest card first, then what was not taken outside, then promises, then
    accounts; what cards have taken, and what was taken outside, comes last. That goes back outside.
    """
    courses = [Course(p, rows, now) for p in payments if p.state in PERMANENT]
    excess = sum(c.payment.due for c in courses) - due
    for candidates, floor in _passes(courses):
        for course in candidates:
            reduction = min(excess, max(0, course.payment.due - floor(course)))
            if reduction > 0:
                course.change(due=course.payment.due - reduction)
                excess -= reduction
    return [change for course in courses if course.payment.due < _before(course, payments) for change in _lowered(course)]


def _passes(courses: Sequence[Course]) -> Iterable[tuple[list[Course], Callable[[Course], int]]]:
    def of(holding: Holding) -> list[Course]:
        return [c for c in reversed(courses) if c.payment.holding is holding]

    by_captures = (Holding.GATEWAY, Holding.EXTERNAL)
    done = [c for c in reversed(courses) if c.payment.holding not in by_captures or not c.payment.uncaptured]
    yield done, lambda c: c.payment.taken - c.pending(TransactionType.REFUND)
    yield of(Holding.GATEWAY), lambda c: c.payment.captured + c.pending(TransactionType.CAPTURE)
    yield of(Holding.EXTERNAL), lambda c: c.payment.captured
    yield of(Holding.NOTHING), lambda c: 0
    yield of(Holding.BALANCE), lambda c: 0
    yield of(Holding.GATEWAY), lambda c: 0
    yield of(Holding.EXTERNAL), lambda c: 0


def _before(course: Course, payments: Sequence[Payment]) -> int:
    return next(p.due for p in payments if p.id == course.payment.id)


def _lowered(course: Course) -> list[Change]:
    course.give_back(Cause.CHANGE)
    course.trim(Cause.CHANGE)
    return course.changes()


def void(payment: Payment, rows: Sequence[Transaction], ended: bool, now: datetime) -> list[Change]:
    """What a card payment has not captured is given back. Raises `PAYMENT_STATE_CONFLICT`.

    When its order has `ended`, or never opened, that is not due any more. An open order goes on owing it: the payment needs
    attention, so that the order is held, and another can take its place.
    """
    if payment.holding is not Holding.GATEWAY:
        raise conflict(payment.id, payment.state, f"be voided: no gateway holds a {payment.type}")
    if payment.state not in PERMANENT:
        move(payment.id, payment.state, Event.LAPSE)
    if pending([row for row in rows if row.payment_id == payment.id], TransactionType.CAPTURE):
        raise conflict(payment.id, payment.state, "be voided: a capture is under way")
    course = Course(payment, rows, now)
    opened = any(row.type is TransactionType.CONFIRM and row.attempt == payment.attempt for row in course.rows)
    if ended or not opened or not course.wants_hold:
        course.change(due=min(payment.due, payment.captured))
        course.trim(Cause.REQUEST)
    elif payment.state is not State.ATTENTION or any(a.live for a in course.authorizations):
        course.end(course.authorizations, Cause.REQUEST)
        course.move(Event.LAPSE)
    return course.changes()
