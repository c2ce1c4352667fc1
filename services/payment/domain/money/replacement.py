"""Payments of an open order that take the place of one which needs attention: authorized and confirmed without an attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.payment.domain.money import settlement
from services.payment.domain.money.authorization import Hold
from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import Event, State
from services.payment.domain.payments.transaction import Cause, Entry, Transaction, TransactionType, pending
from services.payment.domain.payments.types import Holding


def replaceable(payments: Sequence[Payment], rows: Sequence[Transaction]) -> int:
    """What payments that need attention have still to take, less what is on its way to take their place."""
    return max(0, _left_of(payments, rows) - sum(p.due for p in payments if p.state is State.AUTHORIZING))


def begin(
    payments: Sequence[Payment], rows: Sequence[Transaction], added: Sequence[Payment], attempt: int, now: datetime
) -> list[Change]:
    """New payments, with their amounts resolved, of an order whose `attempt` is confirmed.

    What no gateway holds is confirmed, and takes over, at once; a gateway is asked about the others, and they take over when it
    approves.
    """
    changes: list[Change] = []
    for p in added:
        held = p.moved(Event.RESERVE, now, attempt=attempt)
        changes.append(Change(held, Entry(TransactionType.RESERVE, p.due, cause=Cause.REPLACEMENT, units=p.debited_units)))
        if p.holding is Holding.GATEWAY:
            asked = Entry(TransactionType.AUTHORIZE, p.due, True, Cause.REPLACEMENT, held.authorization_key)
            changes.append(Change(held.moved(Event.ASK, now), asked))
        else:
            entry = Entry(TransactionType.CONFIRM, p.due, cause=Cause.REPLACEMENT, units=p.debited_units)
            freed = p.drawn if p.holding is Holding.BALANCE else 0
            taken = 0 if p.holding is Holding.EXTERNAL else p.due
            changes.append(Change(held.moved(Event.CONFIRM, now, accepted=True), entry, freed=freed, taken=taken))
    good = sum(p.due for p in added if p.holding is not Holding.GATEWAY)
    return changes + _take_over(payments, rows, good, now)


def answered(
    payments: Sequence[Payment], asked: Transaction, approved: bool, rows: Sequence[Transaction], now: datetime
) -> list[Change]:
    """What the gateway's answer to the authorization of a replacement does to it, and to the payments that it replaces.

    `payments` are all of the order, `rows` their transactions with the answer noted. Declined, the replacement ends.
    """
    payment = next(p for p in payments if p.id == asked.payment_id)
    course = Course(payment, rows, now)
    mine = next(a for a in course.authorizations if a.key == asked.authorization_key)
    if payment.state is not State.AUTHORIZING or mine.hold not in (Hold.HELD, Hold.DECLINED):
        # It is canceled, or was answered before.
        return settlement.answered(payment, asked, approved, rows, now)
    if not approved:
        course.move(Event.VOID, accepted=False, due=0)
        return course.changes()
    wanted = min(payment.due, _left_of(payments, rows))
    if not wanted:
        # What it was to replace has been taken, lowered or voided meanwhile.
        course.change(due=0)
        course.end(course.authorizations, Cause.REPLACEMENT)
        course.move(Event.DOUBT, accepted=False)
        return course.changes()
    course.move(Event.APPROVE)
    course.move(Event.CONFIRM, accepted=True)
    course.record(Entry(TransactionType.CONFIRM, payment.due, cause=Cause.REPLACEMENT))
    course.change(due=wanted)
    return course.changes() + _take_over(payments, rows, wanted, now)


def _take_over(payments: Sequence[Payment], rows: Sequence[Transaction], amount: int, now: datetime) -> list[Change]:
    """Payments that need attention stand for less, the oldest first; one that stands for nothing more is voided."""
    changes: list[Change] = []
    for p in payments:
        part = min(amount, _left(p, rows))
        if part:
            course = Course(p, rows, now)
            course.change(due=p.due - part)
            course.trim(Cause.REPLACEMENT)
            changes += course.changes()
            amount -= part
    return changes


def _left_of(payments: Sequence[Payment], rows: Sequence[Transaction]) -> int:
    return sum(_left(p, rows) for p in payments)


def _left(payment: Payment, rows: Sequence[Transaction]) -> int:
    """What a payment that needs attention has still to take; what it is taking just now counts as taken."""
    if payment.state is not State.ATTENTION or payment.holding is not Holding.GATEWAY:
        return 0
    under_way = pending([row for row in rows if row.payment_id == payment.id], TransactionType.CAPTURE)
    return max(0, payment.uncaptured - under_way)
