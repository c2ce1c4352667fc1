"""A payment and its transactions while a decision about it is worked out: what is recorded first is seen by what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Unpack

from services.payment.domain.money.authorization import Authorization, Hold, authorizations
from services.payment.domain.payments.payment import Changes, Payment
from services.payment.domain.payments.states import PERMANENT, Event, State, allows
from services.payment.domain.payments.transaction import Cause, Entry, Result, Transaction, TransactionType, pending
from services.payment.domain.payments.types import Holding


@dataclass(frozen=True, slots=True)
class Change:
    """A payment as it becomes, with the transaction to record, if any."""

    payment: Payment
    entry: Entry | None = None
    freed: int = 0
    """What a spending account gets back of its reserved part."""
    taken: int = 0
    """What is taken now."""
    returned: int = 0
    """What goes back now."""
    settles: Transaction | None = None
    """The transaction by whose answer it is taken or returned, when that was recorded before."""


class Course:
    """Collects what is to be recorded of one payment; `changes` ends it."""

    def __init__(self, payment: Payment, rows: Sequence[Transaction], now: datetime) -> None:
        self.payment = payment
        self.now = now
        self.rows = [row for row in rows if row.payment_id == payment.id]
        self._changes: list[Change] = []

    @property
    def authorizations(self) -> list[Authorization]:
        """As they are with what was recorded so far."""
        return authorizations(self.rows)

    @property
    def held(self) -> list[Authorization]:
        """Authorizations that are known to be good, the newest last."""
        return [a for a in self.authorizations if a.hold is Hold.HELD and a.rest]

    def pending(self, type: TransactionType) -> int:
        """What a gateway has still to answer of one type, in sum."""
        return pending(self.rows, type)

    @property
    def wants_hold(self) -> bool:
        """Whether something is to be held at the gateway: the order opened, and not all that is due is taken."""
        return self.payment.state in PERMANENT and self.payment.due > self.payment.captured

    def record(self, entry: Entry, *, freed: int = 0, taken: int = 0, returned: int = 0) -> None:
        """Adds a transaction."""
        key = entry.authorization_key
        row = Transaction(
            id="",
            payment_id=self.payment.id,
            type=entry.type,
            result=Result.PENDING if entry.pending else Result.SUCCEEDED,
            amount=entry.amount,
            attempt=self.payment.attempt,
            create_time=self.now,
            cause=entry.cause,
            authorization_key=key,
        )
        self.rows.append(row)
        self._changes.append(Change(self.payment, entry, freed, taken, returned))

    def settled(self, row: Transaction, *, taken: int = 0, returned: int = 0) -> None:
        """Money moved by the answer to a transaction that is recorded already."""
        self._changes.append(Change(self.payment, taken=taken, returned=returned, settles=row))

    def move(self, event: Event, **changes: Unpack[Changes]) -> None:
        """Moves the payment; raises when its state does not allow it."""
        self.payment = self.payment.moved(event, self.now, **changes)

    def alarm(self) -> None:
        """A person has to look. What is over, and what a person looks at already, is not moved where the table has no move."""
        if allows(self.payment.state, Event.ALARM):
            self.move(Event.ALARM)

    def change(self, **changes: Unpack[Changes]) -> None:
        """Changes what is not its state."""
        if any(getattr(self.payment, name) != value for name, value in changes.items()):
            version = self.payment.version + 1
            self.payment = replace(self.payment, version=version, update_time=self.now, **changes)

    def end(self, some: Iterable[Authorization], cause: Cause) -> None:
        """Asks the gateway to void authorizations; those whose void is under way are left."""
        for a in some:
            if a.live and a.hold is not Hold.ENDING:
                self.record(Entry(TransactionType.VOID, a.rest, True, cause, a.key))

    def give_back(self, cause: Cause) -> None:
        """Gives back what was taken beyond what is due. What is on its way back counts as given; what was taken outside goes back
        outside."""
        back = self.payment.taken - self.payment.due - self.pending(TransactionType.REFUND)
        if back > 0 and self.payment.holding is not Holding.EXTERNAL:
            self.refund(back, cause)

    def refund(self, amount: int, cause: Cause) -> None:
        """Gives an amount back: to the newest authorization first; without a gateway at once."""
        if self.payment.holding is not Holding.GATEWAY:
            before = self.payment.refunded_units
            self.payment = refunded(self.payment, amount, self.now)
            units = self.payment.refunded_units - before
            self.record(Entry(TransactionType.REFUND, amount, cause=cause, units=units), returned=amount)
            return
        for a in reversed(self.authorizations):
            part = min(amount, a.returnable)
            if part > 0:
                self.record(Entry(TransactionType.REFUND, part, True, cause, a.key))
                amount -= part

    def trim(self, cause: Cause) -> None:
        """Ends what is held although nothing is left to be captured; waits for a capture that is under way.

        A payment of which nothing was captured is then on its way to VOIDED.
        """
        p = self.payment
        if p.holding is not Holding.GATEWAY or self.wants_hold or self.pending(TransactionType.CAPTURE):
            return
        self.end(self.authorizations, cause)
        if not p.captured and allows(p.state, Event.DOUBT):
            self.move(Event.DOUBT, accepted=False)

    def changes(self) -> list[Change]:
        """What is to be recorded; the last word has the payment as it is after all of it."""
        self._rest()
        live = [a.expire_time for a in self.held if a.expire_time is not None]
        self.change(authorization_expire_time=min(live, default=None))
        made = [replace(change, payment=self.payment) for change in self._changes]
        return made or [Change(self.payment)]

    def _rest(self) -> None:
        """The state that follows from what is held and kept, for states that wait for that."""
        p, live = self.payment, [a for a in self.authorizations if a.live]
        if p.holding is Holding.EXTERNAL:
            self._rest_outside()
            return
        waits = any(a.hold is not Hold.HELD for a in live) or self.pending(TransactionType.CAPTURE)
        if p.holding is not Holding.GATEWAY or waits:
            return
        if live:
            # The gateway declined to void what nobody wants.
            if p.state in (State.VOID_PENDING, State.CAPTURED) and not self.wants_hold:
                self.move(Event.ALARM, due=min(p.due, p.captured))
        elif p.state is State.VOID_PENDING:
            self.move(Event.CLEAR if p.due else Event.VOID)
        elif p.state in (State.CAPTURED, State.ATTENTION) and p.due <= p.captured:
            self._over()

    def _rest_outside(self) -> None:
        """Nothing is left to take outside: if nothing was taken, or all of it went back, the payment is over."""
        p = self.payment
        if p.state not in (State.CONFIRMED, State.CAPTURED) or p.due > p.captured or not p.resolved_amount:
            return
        if not p.captured:
            self.move(Event.VOID, accepted=False)
        elif not p.taken:
            self.move(Event.REFUND_ALL)

    def _over(self) -> None:
        """Nothing is held, nothing is left to capture."""
        p = self.payment
        if not p.captured:
            self.move(Event.VOID)
        elif not p.taken:
            self.move(Event.REFUND_ALL)
        elif p.state is State.ATTENTION and p.taken <= p.due:
            self.move(Event.SETTLE)


def refunded(payment: Payment, amount: int, now: datetime) -> Payment:
    """After a refund without a gateway."""
    event = Event.REFUND_ALL if amount == payment.taken else Event.REFUND_PART
    back = payment.refunded + amount
    return payment.moved(event, now, refunded=back, refunded_units=payment.units_back(back))
