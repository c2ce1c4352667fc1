"""The payments of a sale, by payment's rules: cards, accounts in money and in points, promises, several of each.

The gateway approves everything, sooner or later: what it declines is the matter of payment's own model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.payment.domain.attempts import attempt
from services.payment.domain.means.means import Means
from services.payment.domain.money import lowering, settlement, shipped
from services.payment.domain.money.authorization import authorizations
from services.payment.domain.money.course import Change
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import ENDS, Event, State
from services.payment.domain.payments.transaction import Cause, Entry, Result, Transaction, TransactionType, pending
from services.payment.domain.payments.types import CREDIT_CARD, PURCHASE_ORDER, SPENDING_ACCOUNT, Holding
from tests.unit.payment.builders import NOW, a_card, a_payment, an_account

POINTS = {"PTS": (0, 13_370), "MILES": (2, 2_500_000)}
"""Units of the seller's own: digits after the point, and what one is worth in micros."""
MEANS = ("card", "money", *POINTS, "promise")


@dataclass(frozen=True, slots=True)
class Tender:
    """A way to pay a part of a total, in hundredths of it; the last of several pays the rest."""

    means: str
    part: int


class Purse:
    """The payments of one order and their transactions."""

    def __init__(self, tenders: Sequence[Tender], total: int, currency: str, unit: int) -> None:
        self._currency = currency
        accounts = {"money": an_account("money", 10**18, currency=currency)}
        for name, (digits, rate) in POINTS.items():
            more = {"unit_digits": digits, "rate": rate, "order_currency": currency}
            accounts[name] = replace(an_account(name, 10**18, currency=name), **more)
        self._rows: list[Transaction] = []
        made = [self._payment(n, t, total, unit, last=n == len(tenders) - 1) for n, t in enumerate(tenders)]
        means = Means(accounts, {"card": a_card()})
        judged = attempt.judge(made, total, currency, True, means, NOW)
        assert not judged.problems
        self.payments = {p.id: p for p in judged.payments}
        self._open()

    def _payment(self, n: int, tender: Tender, total: int, unit: int, last: bool) -> Payment:
        amount = None if last else total // unit * tender.part // 100 * unit
        more = {"currency": self._currency, "position": n}
        if tender.means == "card":
            return a_payment(f"p{n}", CREDIT_CARD, amount, credit_card_id="card", accepted=False, **more)
        if tender.means == "promise":
            return a_payment(f"p{n}", PURCHASE_ORDER, amount, **more)
        return a_payment(f"p{n}", SPENDING_ACCOUNT, amount, spending_account_id=tender.means, **more)

    def _open(self) -> None:
        """Reserved, authorized and confirmed: the order opens."""
        self._record(attempt.reserve(list(self.payments.values()), 1, NOW))
        for p in self.cards:
            if p.due:
                asked = Entry(TransactionType.AUTHORIZE, p.due, pending=True)
                self._record([Change(p.moved(Event.ASK, NOW), asked)])
        self.arrive()
        self._record(attempt.confirm(list(self.payments.values()), NOW))

    @property
    def cards(self) -> list[Payment]:
        """Payments that a gateway holds the money of."""
        return [p for p in self.payments.values() if p.holding is Holding.GATEWAY]

    @property
    def others(self) -> list[Payment]:
        """Payments that are taken whole when the order opens."""
        return [p for p in self.payments.values() if p.holding is not Holding.GATEWAY]

    @property
    def due(self) -> int:
        """What they stand for."""
        return sum(p.due for p in self.payments.values())

    @property
    def taken(self) -> int:
        """What was taken and not given back."""
        return sum(p.taken for p in self.payments.values())

    @property
    def captured(self) -> int:
        """What cards were charged."""
        return sum(p.captured for p in self.cards)

    @property
    def asked(self) -> int:
        """What cards are being charged: the gateway has not answered."""
        return pending(self._rows, TransactionType.CAPTURE)

    @property
    def given_back(self) -> int:
        """What went back, or was never taken and is not held any more."""
        voided = sum((p.resolved_amount or 0) - p.captured for p in self.cards if not self.held(p))
        return sum(p.refunded for p in self.payments.values()) + voided

    def held(self, p: Payment) -> int:
        """What a gateway holds of a card, or may hold."""
        return sum(a.rest for a in authorizations(self.rows(p)) if a.live)

    def rows(self, p: Payment) -> list[Transaction]:
        """A payment's transactions."""
        return [row for row in self._rows if row.payment_id == p.id]

    def units(self, p: Payment, *types: TransactionType) -> int:
        """What of a payment's points is in transactions of some types."""
        return sum(row.units for row in self.rows(p) if row.type in types)

    def is_over(self, p: Payment) -> bool:
        """Whether nothing has to follow."""
        return p.state in (*ENDS, State.CAPTURED) or not p.due or p.holding is not Holding.GATEWAY

    def capture(self, worth: int) -> None:
        """Charges cards for what has shipped of the order."""
        self._record(shipped.capture_shipped(self._all(), self._rows, worth, NOW))

    def missing(self, worth: int) -> int:
        """What of that is not taken."""
        return shipped.missing(self._all(), worth)

    def lower(self, due: int) -> None:
        """The order owes less."""
        self._record(lowering.lower(self._all(), self._rows, due, NOW))

    def cancel(self) -> None:
        """The order owes nothing."""
        self._record(attempt.cancel(self._all(), self._rows, NOW))

    def arrive(self) -> None:
        """The gateway answers what it was asked, and what it is asked because of that."""
        while waiting := [n for n, row in enumerate(self._rows) if row.result is Result.PENDING]:
            at = waiting[0]
            self._rows[at] = row = replace(self._rows[at], result=Result.SUCCEEDED)
            p = self.payments[row.payment_id]
            if row.type is TransactionType.AUTHORIZE and p.state is State.AUTHORIZING:
                self.payments[p.id] = settlement.authorized(p, True, NOW)
            else:
                self._record(settlement.answered(p, row, True, self.rows(p), NOW))

    def _all(self) -> list[Payment]:
        return list(self.payments.values())

    def _record(self, changes: Sequence[Change]) -> None:
        for change in changes:
            p = self.payments[change.payment.id] = change.payment
            if change.entry is not None:
                self._rows.append(_row(p, change.entry))


def _row(p: Payment, entry: Entry) -> Transaction:
    key = entry.authorization_key or (p.authorization_key if entry.pending else "")
    result = Result.PENDING if entry.pending else Result.SUCCEEDED
    cause: Cause = entry.cause
    return Transaction(
        "", p.id, entry.type, result, entry.amount, p.attempt, NOW, cause, authorization_key=key, units=entry.units
    )
