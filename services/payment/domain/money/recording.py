"""Transactions that happened outside, to payments of declared types: what can be recorded of them, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from libs.errors import Violations
from services.payment.domain.means.declared import DeclaredType, shown
from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import Event, State, conflict
from services.payment.domain.payments.transaction import Cause, Entry, Recorded, Transaction, TransactionType
from services.payment.domain.payments.types import Holding
from waybill.payment.v1 import reasons

RECORDABLE: Final = (TransactionType.AUTHORIZE, TransactionType.VOID, TransactionType.CAPTURE, TransactionType.REFUND)
_CAPTURED = (State.CONFIRMED, State.CAPTURED)
_STATES: Final = {
    TransactionType.AUTHORIZE: (State.OPEN, State.RESERVED, *_CAPTURED),
    TransactionType.CAPTURE: _CAPTURED,
    TransactionType.REFUND: (State.CAPTURED,),
}
"""States in which each may be recorded. That an authorization ended is recorded whatever became of the payment."""


def authorized(rows: Iterable[Transaction]) -> int:
    """What was authorized outside and not voided, of the transactions of one payment."""
    signs = {TransactionType.AUTHORIZE: 1, TransactionType.VOID: -1}
    return sum(signs.get(row.type, 0) * row.amount for row in rows if row.cause is Cause.RECORD)


def room(payment: Payment, type: TransactionType, good: int) -> int | None:
    """The most that may be recorded, where `good` is authorized outside; None of the rest of a total, which has no bound yet."""
    if type is TransactionType.AUTHORIZE:
        whole = payment.amount if payment.state is State.OPEN else payment.resolved_amount
        return None if whole is None else max(0, whole - good)
    if type is TransactionType.VOID:
        return max(0, good - payment.captured)
    return payment.uncaptured if type is TransactionType.CAPTURE else payment.captured - payment.refunded


def faults(payment: Payment, asked: Entry, rows: Sequence[Transaction]) -> Violations:
    """What is wrong with it. Where the payment's state does not allow it at all, that is what `record` says."""
    found = Violations()
    outside = payment.holding is Holding.EXTERNAL
    text = f"the transactions of a {payment.type} are not recorded by hand"
    found.require("payment_id", outside, reasons.PAYMENT_NOT_RECORDED, text)
    most = room(payment, asked.type, authorized(rows)) if outside and _allowed(payment, asked) else None
    if most is not None:
        found.require("amount", asked.amount <= most, reasons.RECORD_EXCEEDS_PAYMENT, f"is above {Decimal(most).scaleb(-6):f}")
    return found


def _allowed(payment: Payment, asked: Entry) -> bool:
    states = _STATES.get(asked.type)
    return states is None or payment.state in states


def record(payment: Payment, asked: Entry, rows: Sequence[Transaction], type: DeclaredType | None, now: datetime) -> list[Change]:
    """Notes what happened, and has no faults. Raises `PAYMENT_STATE_CONFLICT`."""
    if not _allowed(payment, asked):
        raise conflict(payment.id, payment.state, f"have a {asked.type.value.lower()} recorded")
    course = Course(payment, rows, now)
    _apply(course, asked)
    if payment.state is State.OPEN:
        course.change(accepted=shown(payment, type, authorized(course.rows)).accepted)
    return course.changes()


def entry(type: TransactionType, amount: int, recorded: Recorded) -> Entry:
    """What is to be recorded."""
    return Entry(type, amount, cause=Cause.RECORD, recorded=recorded)


def _apply(course: Course, asked: Entry) -> None:
    p, amount = course.payment, asked.amount
    if asked.type is TransactionType.CAPTURE:
        course.move(Event.CAPTURE, captured=p.captured + amount)
        course.record(asked, taken=amount)
    elif asked.type is TransactionType.REFUND:
        course.move(Event.REFUND_PART, refunded=p.refunded + amount)
        course.record(asked, returned=amount)
    else:
        course.record(asked)
