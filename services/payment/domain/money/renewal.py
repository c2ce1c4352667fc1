"""Authorizations that would lapse before they are captured: a new one is asked for, then the old one is given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.payment.domain.money.authorization import Hold
from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, Event, State
from services.payment.domain.payments.transaction import Cause, Entry, Transaction, TransactionType
from services.payment.domain.payments.types import Holding


def tend(payment: Payment, rows: Sequence[Transaction], until: datetime, ended: bool, now: datetime) -> list[Change]:
    """Notes what has lapsed, and asks for a new authorization of what is due and lapses until then.

    Of an order that has ended nothing is renewed: what lapses is let go. While a capture is under way all is left as it is.
    """
    course = Course(payment, rows, now)
    if payment.holding is not Holding.GATEWAY or payment.state not in PERMANENT or course.pending(TransactionType.CAPTURE):
        return []
    for a in course.held:
        if a.expire_time is not None and a.expire_time <= now:
            course.record(Entry(TransactionType.LAPSE, a.rest, cause=Cause.RENEWAL, authorization_key=a.key))
    if course.wants_hold and not any(a.hold is Hold.ASKED for a in course.authorizations):
        _go_on(course, until, ended)
    changes = course.changes()
    return changes if changes[0].payment is not payment or changes[0].entry is not None else []


def _go_on(course: Course, until: datetime, ended: bool) -> None:
    p = course.payment
    if not course.held:
        if ended:
            course.change(due=p.captured)
            course.trim(Cause.RENEWAL)
        elif p.state is not State.ATTENTION:
            course.move(Event.LAPSE)
        return
    expire = course.held[-1].expire_time
    if ended or p.state is State.ATTENTION or expire is None or expire > until:
        return
    asked = [row for row in course.rows if row.type is TransactionType.AUTHORIZE and row.attempt == p.attempt]
    # The payment stays as it is until the gateway has answered.
    course.record(Entry(TransactionType.AUTHORIZE, p.uncaptured, True, Cause.RENEWAL, p.renewal_key(len(asked))))
