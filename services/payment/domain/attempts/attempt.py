"""What becomes of an order's payments in the steps of a submit, and when the order is canceled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.payment.domain.means.declared import unaccepted
from services.payment.domain.means.means import Demand, Means, demands, in_units, unusable
from services.payment.domain.money.course import Change, Course
from services.payment.domain.payments.payment import NO_UNITS, Payment, Problem, resolve
from services.payment.domain.payments.states import ENDS, PERMANENT, Event, State, allows
from services.payment.domain.payments.transaction import Cause, Entry, Transaction, TransactionType
from services.payment.domain.payments.types import Holding
from services.payment.domain.redirects.redirect import Redirect
from waybill.payment.v1 import reasons

PASSING = (State.RESERVED, State.AUTHORIZING, State.AUTHORIZED, State.VOID_PENDING)
"""States of a payment that an attempt which was refused has not yet let go."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """Payments with resolved amounts; whether they can be taken; what they draw on accounts."""

    payments: list[Payment]
    problems: list[Problem]
    demands: dict[str, Demand] = field(default_factory=dict)
    agreed: dict[str, Redirect] = field(default_factory=dict)
    """Authorizations that buyers have given before, by payment."""

    @property
    def needs_authorization(self) -> bool:
        """Whether a gateway has to be asked."""
        return any(p.holding is Holding.GATEWAY and p.due and p.state is not State.AUTHORIZED for p in self.payments)


def judge(
    payments: Sequence[Payment],
    total: int,
    currency: str,
    must_cover: bool,
    means: Means,
    now: datetime,
    *,
    may_exceed: bool = False,
) -> Judgment:
    """Everything is checked again against the total as it is now; all problems at once."""
    resolved, problems = resolve(payments, total, must_cover, may_exceed)
    for p in resolved:
        if p.state is not State.OPEN:
            # What an earlier attempt holds, or a gateway has still to end, may not be doubled; that passes by itself.
            passing = p.state in PASSING
            problems.append(Problem(p.id, reasons.PAYMENT_STATE_CONFLICT, f"the payment is {p.state.value}", passing))
        if p.currency != currency:
            text = f"the payment is in {p.currency}, the order in {currency}"
            problems.append(Problem(p.id, reasons.CURRENCY_MISMATCH, text, field="amount"))
    problems += [*unusable(resolved, means, now), *unaccepted(resolved, means.types, means.authorized)]
    resolved = [replace(p, accepted=True) if p.holding is Holding.EXTERNAL else p for p in resolved]
    resolved = in_units(resolved, means.accounts)
    wanted, short = demands(resolved, means.accounts)
    return Judgment(resolved, problems + short, wanted)


def reserve(payments: Sequence[Payment], attempt: int, now: datetime) -> list[Change]:
    """Held for the attempt."""
    return [
        Change(
            p.moved(Event.RESERVE, now, attempt=attempt, authorization_expire_time=None),
            Entry(TransactionType.RESERVE, p.due, units=p.debited_units) if p.due else None,
        )
        for p in payments
    ]


def confirm(payments: Sequence[Payment], now: datetime) -> list[Change]:
    """Permanent. Never refused: a card that is not authorized, which should not be, needs a person's attention."""
    return [_confirmed(p, now) for p in payments]


def _confirmed(p: Payment, now: datetime) -> Change:
    # Of nothing too, where others paid for all: every payment that is permanent has been confirmed.
    entry = Entry(TransactionType.CONFIRM, p.due, units=p.debited_units)
    if p.holding is Holding.GATEWAY:
        if p.due and p.state is not State.AUTHORIZED:
            return Change(p.moved(Event.ALARM, now))
        return Change(p.moved(Event.CONFIRM, now, accepted=True), entry)
    after = p.moved(Event.CONFIRM, now, accepted=True)
    # What is outside is taken there, which is recorded when it happens.
    return Change(after, entry, freed=_reserved(p), taken=0 if p.holding is Holding.EXTERNAL else p.due)


def release(payments: Sequence[Payment], kept: Mapping[str, str], now: datetime) -> list[Change]:
    """Nothing held. What a gateway holds, or may hold, is to be voided, but for what is `kept` for the next attempt: payments
    whose buyers have agreed before, with the key of the authorization."""
    changes: list[Change] = []
    for p in payments:
        if p.id in kept and p.state is State.AUTHORIZED:
            back = Entry(TransactionType.RELEASE, p.due, authorization_key=kept[p.id])
            changes.append(Change(p.moved(Event.RELEASE, now, accepted=False, authorization_expire_time=None), back))
        elif p.state in (State.AUTHORIZING, State.AUTHORIZED):
            entry = Entry(TransactionType.VOID, p.due, pending=True)
            changes.append(Change(p.moved(Event.DOUBT, now, accepted=False), entry))
        elif p.state is State.RESERVED:
            recorded = Entry(TransactionType.RELEASE, p.due, units=p.debited_units) if p.due else None
            changes.append(Change(p.moved(Event.RELEASE, now, **NO_UNITS), recorded, freed=_reserved(p)))
    return changes


def cancel(payments: Sequence[Payment], rows: Sequence[Transaction], now: datetime) -> list[Change]:
    """The order was canceled: nothing is due any more, authorizations are voided, what was taken goes back.

    `rows` are their transactions: what is on its way back, or voided, is not asked for again. So a repeat does nothing.
    """
    changes: list[Change] = []
    for p in payments:
        if p.state in ENDS and not p.due:
            continue
        if p.holding is Holding.GATEWAY and p.state not in _ENDS:
            changes += _cancel_at_gateway(Course(p, rows, now))
        elif p.holding is Holding.EXTERNAL and p.state in PERMANENT and p.resolved_amount:
            changes += _cancel_outside(Course(p, rows, now))
        elif p.state in ENDS:
            # All of it went back before.
            changes.append(Change(replace(p, due=0, version=p.version + 1, update_time=now)))
        else:
            changes.append(_cancel_at_once(p, now))
    return changes


_ENDS = {State.OPEN: None, State.RESERVED: TransactionType.RELEASE}
"""What a cancel records of what is not permanent: of a payment that nothing was reserved for nothing ends."""


def _cancel_at_once(p: Payment, now: datetime) -> Change:
    back, undecided = p.taken, p.state is State.RESERVED
    ends = _ENDS.get(p.state, TransactionType.VOID)
    # A part of what was taken may have gone back before.
    amount = p.due if undecided else back
    units = p.debited_units - p.refunded_units
    entry = Entry(ends, amount, cause=Cause.CANCEL, units=units) if ends is not None and amount else None
    after = p.moved(Event.VOID, now, accepted=False, refunded=p.refunded + back, due=0, refunded_units=p.refunded_units + units)
    if undecided:
        after = replace(after, **NO_UNITS)
    return Change(after, entry, freed=_reserved(p), returned=back)


def _cancel_outside(course: Course) -> list[Change]:
    """Nothing is due any more. What was taken outside has to go back there, and is shown as such until that is recorded."""
    if not course.payment.due:
        return []
    if course.payment.uncaptured:
        course.record(Entry(TransactionType.VOID, course.payment.uncaptured, cause=Cause.CANCEL))
    course.change(due=0)
    return course.changes()


def _cancel_at_gateway(course: Course) -> list[Change]:
    course.change(due=0)
    course.give_back(Cause.CANCEL)
    course.end(course.authorizations, Cause.CANCEL)
    if not course.payment.captured and allows(course.payment.state, Event.DOUBT):
        course.move(Event.DOUBT, accepted=False)
    return course.changes()


def _reserved(p: Payment) -> int:
    return p.drawn if p.holding is Holding.BALANCE and p.state is State.RESERVED else 0
