"""A payment as a value, and how several share an order's total. Amounts are micros of the order's currency."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict, Unpack

from libs.json_value import JsonObject
from services.payment.domain.payments.states import Event, State, move
from services.payment.domain.payments.types import Holding, behavior, taken
from services.payment.domain.payments.units import given_back
from waybill.payment.v1 import reasons
from waybill.payment.v1.reasons import ReasonName

MAX_PAYMENTS = 20


class Changes(TypedDict, total=False):
    """What may change of a payment, beside its state, when something happens to it."""

    due: int
    accepted: bool
    attempt: int
    captured: int
    refunded: int
    authorization_expire_time: datetime | None
    unit: str
    unit_digits: int
    rate: int
    debited_units: int
    refunded_units: int


NO_UNITS: Changes = {"unit": "", "unit_digits": 0, "rate": 0, "debited_units": 0, "refunded_units": 0}
"""Of a payment that draws nothing on an account."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One way in which one order is paid."""

    id: str
    order_key: uuid.UUID
    order_id: str
    buyer_id: str
    user_id: str
    position: int
    type: str
    currency: str
    create_time: datetime
    update_time: datetime
    amount: int | None = None
    resolved_amount: int | None = None
    due: int = 0
    """What it stands for now: the resolved amount at first; falls when its order owes less, or another payment takes over."""
    spending_account_id: str = ""
    credit_card_id: str = ""
    purchase_order_number: str = ""
    description: str = ""
    accepted: bool = True
    state: State = State.OPEN
    attempt: int = 0
    captured: int = 0
    refunded: int = 0
    authorization_expire_time: datetime | None = None
    """When the gateway lets the first of its authorizations lapse that it still holds."""
    version: int = 1
    xp: JsonObject = field(default_factory=dict)
    unit: str = ""
    """Unit of the seller's own that its account is counted in, from when it is reserved; empty where that is the currency."""
    unit_digits: int = 0
    rate: int = 0
    """What one unit was worth when it was reserved, in micros of the currency."""
    debited_units: int = 0
    """What it draws on its account, in millionths of the unit."""
    refunded_units: int = 0
    surplus: int = 0
    """What of its amount is not taken, since the payments were above the total when it was resolved."""
    external: bool = False
    """Whether its type is none of those that are built in, but one that the marketplace declares."""

    @property
    def holding(self) -> Holding:
        """Where its money is held."""
        return Holding.EXTERNAL if self.external else behavior(self.type).holding

    @property
    def taken(self) -> int:
        """What was taken and not given back: a card's captures, those recorded of what is outside, anything else from its
        confirmation on."""
        if self.holding in (Holding.GATEWAY, Holding.EXTERNAL):
            return self.captured - self.refunded
        return (self.resolved_amount or 0) - self.refunded if self.state in (State.CONFIRMED, State.CAPTURED) else 0

    @property
    def drawn(self) -> int:
        """What it holds of its account while its order is undecided, in the account's own unit."""
        return self.debited_units if self.unit else self.due

    @property
    def uncaptured(self) -> int:
        """What a card, or whoever moves the money outside, has still to take."""
        return max(0, self.due - self.captured)

    @property
    def to_refund(self) -> int:
        """What was taken outside beyond what is due, and has to be given back there."""
        return max(0, self.taken - self.due) if self.holding is Holding.EXTERNAL else 0

    @property
    def authorization_key(self) -> str:
        """Our key of its attempt's first authorization at the gateway, the same on every retry."""
        return f"{self.order_key}/{self.attempt}/{self.id}"

    def renewal_key(self, number: int) -> str:
        """Our key of the attempt's authorization that comes after so many others."""
        return f"{self.authorization_key}/{number}"

    def units_back(self, refunded: int) -> int:
        """What of its units has gone back when so much of its money has."""
        return given_back(self.debited_units, self.unit_digits, refunded, self.resolved_amount or 0)

    def moved(self, event: Event, now: datetime, **changes: Unpack[Changes]) -> Payment:
        """The payment after an event; raises `PAYMENT_STATE_CONFLICT` when its state does not allow it."""
        state = move(self.id, self.state, event)
        return replace(self, state=state, version=self.version + 1, update_time=now, **changes)


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps payments from being taken. `field` is the field of the payment that it is about."""

    payment_id: str
    reason: ReasonName
    description: str
    contended: bool = False
    field: str = ""


def resolve(
    payments: Sequence[Payment], total: int, must_cover: bool, may_exceed: bool = False
) -> tuple[list[Payment], list[Problem]]:
    """Payments with the amount that each stands for, and what is wrong with their sum.

    A payment without an amount is the rest: the total less the others (seed, payments). Below the total is refused only when the
    channel demands cover. Above it is refused unless the channel admits that: then what is too much is not taken, of the last
    payments first.
    """
    problems = _rests_repeated(payments)
    rests = [p for p in payments if p.amount is None]
    fixed = sum(p.amount for p in payments if p.amount is not None)
    if fixed > total and not may_exceed:
        problems.append(Problem("", reasons.PAYMENT_EXCEEDS_TOTAL, "the payments are above the order's total"))
    elif fixed < total and not rests and must_cover:
        problems.append(Problem("", reasons.PAYMENTS_BELOW_TOTAL, "the payments do not cover the order's total"))
    rest = max(0, total - fixed)
    shares = [p.amount if p.amount is not None else (rest if p is rests[0] else 0) for p in payments]
    taken_of = _within(shares, total) if may_exceed else shares
    resolved = [
        replace(p, resolved_amount=share, due=share, surplus=stated - share)
        for p, stated, share in zip(payments, shares, taken_of, strict=True)
    ]
    return resolved, problems


def misstated(payments: Sequence[Payment], total: int | None, may_exceed: bool) -> list[Problem]:
    """What is wrong with the amounts of payments before the submit. Where there is no total yet, no sum can be above it."""
    if total is None:
        return _rests_repeated(payments)
    return resolve(payments, total, must_cover=False, may_exceed=may_exceed)[1]


def _rests_repeated(payments: Sequence[Payment]) -> list[Problem]:
    text = "only one payment may have no amount"
    rests = [p for p in payments if p.amount is None]
    return [Problem(p.id, reasons.PAYMENT_REST_REPEATED, text, field="amount") for p in rests[1:]]


def _within(shares: Sequence[int], total: int) -> list[int]:
    """As much of each, from the first on, as there is of the total."""
    made: list[int] = []
    for share in shares:
        made.append(min(share, total - sum(made)))
    return made


def untaken(payments: Sequence[Payment], named: Collection[str]) -> list[Problem]:
    """Payments of a type that the channel, which names these types, does not take. What is voided already pays nothing."""
    types = taken(named)
    text = f"this channel takes {', '.join(sorted(types))}"
    return [
        Problem(p.id, reasons.PAYMENT_TYPE_NOT_ALLOWED, f"{text}, not {p.type}", field="type")
        for p in payments
        if p.type not in types and p.state is not State.VOIDED
    ]
