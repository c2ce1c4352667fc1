"""Capture on shipment: which payments take what has shipped of their order, and what of it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, State
from services.payment.domain.payments.transaction import Cause, Entry, Transaction, TransactionType, canceled
from services.payment.domain.payments.types import Holding

_ON_THE_WAY = (State.RESERVED, State.AUTHORIZING, State.AUTHORIZED)
"""States of a payment whose order has been decided, and that is still to be confirmed; or that is to replace another."""


def capture_shipped(payments: Sequence[Payment], rows: Sequence[Transaction], shipped: int, now: datetime) -> list[Change]:
    """Asks cards for what has shipped and is neither taken nor asked for, the oldest payment first.

    What is an account's or a promise is taken since the order was confirmed, and what is outside is taken there, when the shop's
    own code sees fit: both count in full. What a card has taken counts even if a person has given it back since: it is not taken
    twice.
    """
    courses = [Course(p, rows, now) for p in payments if p.state in PERMANENT and not canceled(_of(p, rows))]
    left = shipped - sum(_taken(c.payment, c.pending(TransactionType.CAPTURE)) for c in courses)
    changes: list[Change] = []
    for course in courses:
        amount = min(left, _room(course))
        if amount > 0:
            course.record(Entry(TransactionType.CAPTURE, amount, True, Cause.SHIPMENT, course.held[-1].key))
            left -= amount
            changes += course.changes()
    return changes


def missing(payments: Sequence[Payment], shipped: int) -> int:
    """What is not taken of what has shipped, as far as the payments stand for it."""
    standing = [p for p in payments if p.state in PERMANENT or p.state in _ON_THE_WAY]
    return max(0, min(shipped, sum(p.due for p in standing)) - sum(_taken(p) for p in standing if p.state in PERMANENT))


def _of(payment: Payment, rows: Sequence[Transaction]) -> list[Transaction]:
    return [row for row in rows if row.payment_id == payment.id]


def _taken(payment: Payment, pending: int = 0) -> int:
    """What a permanent payment has taken of what it stands for."""
    if payment.holding is not Holding.GATEWAY:
        return payment.due
    return min(payment.due, payment.captured + pending)


def _room(course: Course) -> int:
    """What a card can still take. One that needs attention is left to the person who looks at it."""
    payment, held = course.payment, course.held
    if payment.holding is not Holding.GATEWAY or payment.state is State.ATTENTION or not held:
        return 0
    return max(0, min(held[-1].room, payment.uncaptured - course.pending(TransactionType.CAPTURE)))
