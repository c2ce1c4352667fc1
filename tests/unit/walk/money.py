"""A payment as one frozen value, and what moves it: rpcs, the gateway's answers, time; of one whose money moves outside, what is
recorded of that.

A card has one authorization. Renewals, late answers and those out of order are the matter of payment's own model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from libs.errors import WaybillError
from services.payment.domain.attempts import attempt
from services.payment.domain.means.declared import BY_RECORD, DeclaredType
from services.payment.domain.money import lowering, recording, renewal, settlement
from services.payment.domain.money.authorization import authorizations
from services.payment.domain.money.course import Change
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import ENDS, Event, State
from services.payment.domain.payments.transaction import Cause, Entry, Recorded, Result, Transaction, TransactionType
from services.payment.domain.payments.types import CREDIT_CARD, Holding
from tests.unit.payment.builders import NOW, a_payment

LAPSES = NOW + timedelta(days=7)
TRANSFER = DeclaredType("transfer", BY_RECORD, active=True)


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
    def outside(self) -> bool:
        """Whether its money moves outside, where that is recorded."""
        return self.payment.holding is Holding.EXTERNAL

    @property
    def untouched(self) -> bool:
        """Whether a submit would take it: it stands open, and what it needs beforehand is there."""
        p = self.payment
        covered = recording.authorized(self.rows) >= p.due if self.outside else not self.rows
        return p.state is State.OPEN and covered

    @property
    def accepted(self) -> bool:
        """Whether an attempt may open the order with it."""
        return self.payment.state is (State.RESERVED if self.outside else State.AUTHORIZED)

    @property
    def rests(self) -> bool:
        """Whether nothing has to follow: what was taken is what is due, and a gateway holds nothing."""
        p = self.payment
        if self.outside:
            return p.state in (*ENDS, State.OPEN) or (p.state is State.CAPTURED and not p.uncaptured and not p.to_refund)
        if self.waits or any(a.live for a in authorizations(self.rows)):
            return False
        return p.state in (*ENDS, State.OPEN) or (p.state is State.CAPTURED and p.taken <= p.due)


def added(due: int, outside: bool = False) -> Money:
    """A card that shall pay so much, or a transfer outside."""
    if outside:
        return Money(
            a_payment(type=TRANSFER.id, external=True, amount=due, resolved_amount=due, due=due, accepted=False, xp=None)
        )
    return Money(a_payment(type=CREDIT_CARD, resolved_amount=due, due=due, xp=None))


def reserved(m: Money) -> Money:
    """Held for an attempt, and the gateway is asked, where there is one."""
    m = _after(m, attempt.reserve([m.payment], 1, NOW))
    if m.outside:
        return m
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
    if m.outside:
        yield from _records(m)
        return
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


def _records(m: Money) -> Iterator[tuple[str, Money]]:
    """All that may be recorded of it, as much as may be."""
    for type in recording.RECORDABLE:
        entry = recording.entry(
            type, recording.room(m.payment, type, recording.authorized(m.rows)) or 0, Recorded("admin", "", NOW)
        )
        if not entry.amount or recording.faults(m.payment, entry, m.rows):
            continue
        try:
            changes = recording.record(m.payment, entry, m.rows, TRANSFER, NOW)
        except WaybillError:
            continue
        yield f"RecordTransaction {type}", _after(m, changes)


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
    if payment.holding is Holding.EXTERNAL:
        return _outside(payment, list(rows))
    rows = [_plain(row) for row in rows if row.type not in (TransactionType.RESERVE, TransactionType.CONFIRM)]
    rows = [row for row in rows if row.cause is Cause.CANCEL or not _counts_for_nothing(row)]
    kept = [row for at, row in enumerate(rows) if not any(_repeats(row, later) for later in rows[at + 1 :])]
    payment = replace(payment, version=1, update_time=NOW)
    waits = any(row.result is Result.PENDING for row in kept)
    if payment.state is State.OPEN and not waits and not any(row.cause is Cause.CANCEL for row in kept):
        return Money(replace(payment, attempt=0, accepted=True), ())
    return Money(payment, tuple(kept))


def _outside(payment: Payment, rows: Sequence[Transaction]) -> Money:
    """Of what was recorded it counts what is authorized in all."""
    good = recording.authorized(rows)
    payment = replace(payment, version=1, update_time=NOW, attempt=0 if payment.state is State.OPEN else payment.attempt)
    return Money(payment, (_row(payment, Entry(TransactionType.AUTHORIZE, good, cause=Cause.RECORD)),) if good else ())


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
