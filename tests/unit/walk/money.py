"""A card payment as one frozen value, and what moves it: rpcs, the gateway's answers, time.

It has one authorization. Renewals, late answers and those out of order are the matter of payment's own model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from libs.errors import WaybillError
from services.payment.domain.attempts import attempt
from services.payment.domain.money import lowering, renewal, settlement
from services.payment.domain.money.authorization import authorizations
from services.payment.domain.money.course import Change
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import ENDS, Event, State
from services.payment.domain.payments.transaction import Cause, Entry, Result, Transaction, TransactionType
from services.payment.domain.payments.types import CREDIT_CARD
from tests.unit.payment.builders import NOW, a_payment

LAPSES = NOW + timedelta(days=7)


@dataclass(frozen=True)
class Money:
    """The payment of an order, and its transactions."""

    payment: Payment
    rows: tuple[Transaction, ...] = ()

    def __hash__(self) -> int:
        p = self.payment
        return hash((p.state, p.due, p.captured, p.refunded, len(self.rows)))

    @property
    def waits(self) -> bool:
        """Whether a gateway has not answered."""
        return any(row.result is Result.PENDING for row in self.rows)

    @property
    def rests(self) -> bool:
        """Whether nothing has to follow: what was taken is what is due, and a gateway holds nothing."""
        p = self.payment
        if self.waits or any(a.live for a in authorizations(self.rows)):
            return False
        return p.state in (*ENDS, State.OPEN) or (p.state is State.CAPTURED and p.taken <= p.due)


def added(due: int) -> Money:
    """A card that shall pay so much."""
    return Money(a_payment(type=CREDIT_CARD, resolved_amount=due, due=due, xp=None))


def reserved(m: Money) -> Money:
    """Held for an attempt, and the gateway is asked."""
    m = _after(m, attempt.reserve([m.payment], 1, NOW))
    asked = Change(m.payment.moved(Event.ASK, NOW), Entry(TransactionType.AUTHORIZE, m.payment.due, pending=True))
    return _after(m, [asked])


def confirmed(m: Money) -> Money:
    """The attempt was accepted."""
    return _after(m, attempt.confirm([m.payment], NOW))


def released(m: Money) -> Money:
    """The attempt was refused."""
    return _after(m, attempt.release([m.payment], {}, NOW))


def canceled(m: Money) -> Money:
    """The order was canceled."""
    return _after(m, attempt.cancel([m.payment], m.rows, NOW))


def lowered(m: Money, due: int) -> Money:
    """The order owes less."""
    return _after(m, lowering.lower([m.payment], m.rows, due, NOW))


def moves(m: Money, ended: bool) -> Iterator[tuple[str, Money]]:
    """What people, the gateway and time do to it; what the domain refuses is no move. `ended`: whether the order has."""
    for at, row in enumerate(m.rows):
        if row.result is Result.PENDING:
            for approved in (True, False):
                yield f"{row.type} {'approved' if approved else 'declined'}", _answered(m, at, approved)
    p, rows = m.payment, m.rows
    for name, act in (
        ("CapturePayment", lambda: settlement.capture(p, None, rows, NOW)),
        ("RefundPayment", lambda: settlement.refund(p, None, rows, NOW)),
        ("VoidPayment", lambda: lowering.void(p, rows, ended, NOW)),
        ("lapse", lambda: renewal.tend(p, rows, LAPSES, ended, LAPSES)),
    ):
        try:
            changes = act()
        except WaybillError:
            continue
        if changes:
            yield name, _after(m, changes)


def _answered(m: Money, at: int, approved: bool) -> Money:
    result = Result.SUCCEEDED if approved else Result.DECLINED
    expire = LAPSES if m.rows[at].type is TransactionType.AUTHORIZE and approved else None
    rows = list(m.rows)
    rows[at] = row = replace(rows[at], result=result, expire_time=expire)
    if row.type is TransactionType.AUTHORIZE and m.payment.state is State.AUTHORIZING:
        return _canonical(settlement.authorized(m.payment, approved, NOW, expire), rows)
    return _after(replace(m, rows=tuple(rows)), settlement.answered(m.payment, row, approved, rows, NOW))


def _after(m: Money, changes: Sequence[Change]) -> Money:
    if not changes:
        return m
    payment = changes[-1].payment
    return _canonical(payment, [*m.rows, *(_row(payment, c.entry) for c in changes if c.entry is not None)])


def _row(p: Payment, entry: Entry) -> Transaction:
    key = entry.authorization_key or (p.authorization_key if entry.pending else "")
    result = Result.PENDING if entry.pending else Result.SUCCEEDED
    return Transaction("", p.id, entry.type, result, entry.amount, p.attempt, NOW, entry.cause, authorization_key=key)


def _canonical(payment: Payment, rows: Iterable[Transaction]) -> Money:
    """In one form: without versions, repeated refusals, and what an attempt that was let go left behind."""
    rows = [_plain(row) for row in rows if row.type not in (TransactionType.RESERVE, TransactionType.CONFIRM)]
    rows = [row for row in rows if row.cause is Cause.CANCEL or not _counts_for_nothing(row)]
    kept = [row for at, row in enumerate(rows) if not any(_repeats(row, later) for later in rows[at + 1 :])]
    payment = replace(payment, version=1, update_time=NOW)
    waits = any(row.result is Result.PENDING for row in kept)
    if payment.state is State.OPEN and not waits and not any(row.cause is Cause.CANCEL for row in kept):
        return Money(replace(payment, attempt=0, accepted=True), ())
    return Money(payment, tuple(kept))


def _plain(row: Transaction) -> Transaction:
    """Of what is settled it only counts whether a cancel was the cause."""
    if row.result is Result.PENDING or row.type is TransactionType.AUTHORIZE or row.cause is Cause.CANCEL:
        return row
    return replace(row, cause=Cause.REQUEST)


def _counts_for_nothing(row: Transaction) -> bool:
    return row.result is Result.DECLINED and row.type in (TransactionType.CAPTURE, TransactionType.REFUND)


def _repeats(row: Transaction, later: Transaction) -> bool:
    """Whether a later void, or one more refusal to a cancel, says all that a row does."""
    if row.result is Result.PENDING or row.type is not later.type or (row.cause is Cause.CANCEL and row.cause is not later.cause):
        return False
    return row.type is TransactionType.VOID or _counts_for_nothing(row)
