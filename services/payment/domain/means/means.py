"""What a payment draws on: spending accounts and cards, and whether it may."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.errors import Violations
from services.payment.domain.means.declared import DeclaredType, undeclared
from services.payment.domain.payments.payment import Payment, Problem
from services.payment.domain.payments.types import Holding
from services.payment.domain.payments.units import MOST, cost
from waybill.payment.v1 import reasons


def check(found: Violations, where: str, start: datetime | None, end: datetime | None) -> None:
    """Rules between the attributes of a spending account."""
    found.require(
        f"{where}.end_time", not (start and end) or start < end, reasons.ACCOUNT_TIMES_REVERSED, "an account ends after it begins"
    )


@dataclass(frozen=True, slots=True)
class Account:
    """A spending account as a payment looks at it."""

    id: str
    buyer_id: str
    currency: str
    active: bool
    start_time: datetime | None
    end_time: datetime | None
    balance: int
    reserved: int
    users: Mapping[str, bool]
    """Those of the payers whom it is assigned to, with allow_exceed; an empty user is everyone of its buyer."""
    groups: Mapping[str, bool] = field(default_factory=dict)
    """Those of the payer's groups that it is assigned to, with allow_exceed."""
    unit_digits: int = 0
    """Of a unit of the seller's own: the digits after its point."""
    rate: int = 0
    """What one such unit is worth, in micros; 0 for an account that is counted in a currency."""
    order_currency: str = ""
    """The currency of the orders that such an account pays."""

    def serves(self, buyer_id: str, user_id: str) -> bool:
        """Whether the user, who is in these groups, may pay with it."""
        return self.buyer_id == buyer_id and (user_id in self.users or bool(self.groups) or "" in self.users)

    def allows_exceed(self, user_id: str) -> bool:
        """Whether payments may be above the balance: the user's own assignment beats those of its groups, of which one that
        allows it is enough, and these beat that of the whole buyer."""
        if user_id in self.users:
            return self.users[user_id]
        return any(self.groups.values()) if self.groups else self.users.get("", False)

    def usable_at(self, now: datetime) -> bool:
        """Whether it is active and within its time."""
        early = self.start_time is not None and now < self.start_time
        late = self.end_time is not None and now >= self.end_time
        return self.active and not early and not late


@dataclass(frozen=True, slots=True)
class Card:
    """A card as a payment looks at it."""

    id: str
    buyer_id: str
    user_id: str
    token: str
    restricted: bool = False
    """Whether it was assigned to somebody: then it serves those whom it is assigned to, and nobody else of its company."""
    users: Collection[str] = ()
    """Those of the payers whom it is assigned to; an empty user is everyone of its buyer."""
    groups: Collection[str] = ()
    """Those of the payer's groups that it is assigned to."""
    order_id: str = ""
    """Order of the guest who made it, which alone it pays for; empty for a card that is kept."""

    def serves(self, buyer_id: str, user_id: str) -> bool:
        """Whether it is the user's own, or its company lets the user, who is in these groups, pay with it."""
        if self.buyer_id != buyer_id or self.user_id not in ("", user_id):
            return False
        open_to_all = self.user_id == user_id or not self.restricted
        return open_to_all or user_id in self.users or "" in self.users or bool(self.groups)


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose assignments are asked for: of these users, and of the groups that they may pay by."""

    user_ids: Collection[str] = ()
    groups: Collection[str] = ()
    buyer_id: str = ""
    """Whose users they are."""


@dataclass(frozen=True, slots=True)
class Means:
    """Accounts, cards and declared types by id."""

    accounts: Mapping[str, Account]
    cards: Mapping[str, Card]
    guest: bool = False
    """Whether a guest pays, to whom nothing serves but the cards that it has made for its order, and types for everyone."""
    types: Mapping[str, DeclaredType] = field(default_factory=dict)
    authorized: Mapping[str, int] = field(default_factory=dict)
    """What was authorized outside and not voided, as recorded, by payment."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order draws on one account."""

    amount: int
    exceed: bool


def unusable(payments: Sequence[Payment], means: Means, now: datetime) -> list[Problem]:
    """Payments whose account, card or declared type is not the user's, of another currency, or out of its time."""
    problems: list[Problem] = []
    for p in payments:
        if p.holding is Holding.GATEWAY:
            card = means.cards.get(p.credit_card_id)
            order_id = p.order_id if means.guest else ""
            if card is None or card.order_id != order_id or not card.serves(p.buyer_id, p.user_id):
                text = f"the user has no card {p.credit_card_id!r}"
                problems.append(Problem(p.id, reasons.CARD_NOT_FOUND, text, field="credit_card_id"))
        elif p.holding is Holding.BALANCE:
            problems += _unusable_account(p, None if means.guest else means.accounts.get(p.spending_account_id), now)
        elif p.holding is Holding.EXTERNAL:
            problems += undeclared(p, means.types.get(p.type), means.guest)
    return problems


def _unusable_account(p: Payment, account: Account | None, now: datetime) -> list[Problem]:
    where = "spending_account_id"
    if account is None or not account.serves(p.buyer_id, p.user_id):
        text = f"no account {p.spending_account_id!r} is assigned to the user"
        return [Problem(p.id, reasons.SPENDING_ACCOUNT_NOT_FOUND, text, field=where)]
    problems: list[Problem] = []
    pays = account.order_currency or account.currency
    if pays != p.currency:
        text = f"the account pays orders in {pays}, this one is in {p.currency}"
        problems.append(Problem(p.id, reasons.CURRENCY_MISMATCH, text, field=where))
    if not account.usable_at(now):
        text = "the account cannot be paid with at this time"
        problems.append(Problem(p.id, reasons.SPENDING_ACCOUNT_EXPIRED, text, field=where))
    return problems


def in_units(payments: Sequence[Payment], accounts: Mapping[str, Account]) -> list[Payment]:
    """Resolved payments with what they cost in the unit of their account, where that is one of the seller's own.

    The rate of this moment stays with the payment, whatever the account's becomes.
    """
    return [_in_unit(p, accounts.get(p.spending_account_id)) for p in payments]


def _in_unit(p: Payment, account: Account | None) -> Payment:
    if p.holding is not Holding.BALANCE or account is None or not account.rate:
        return p
    debited = cost(p.due, account.rate, account.unit_digits)
    return replace(p, unit=account.currency, unit_digits=account.unit_digits, rate=account.rate, debited_units=debited)


def demands(payments: Sequence[Payment], accounts: Mapping[str, Account]) -> tuple[dict[str, Demand], list[Problem]]:
    """What resolved payments draw on each account, in the order of the accounts' ids, and where it does not suffice.

    A refusal is contended when the balance would suffice without what undecided orders hold of it.
    """
    sums: dict[str, Demand] = {}
    problems: list[Problem] = []
    for p in payments:
        account = accounts.get(p.spending_account_id)
        if p.holding is not Holding.BALANCE or not p.due or account is None:
            continue
        before = sums[account.id].amount if account.id in sums else 0
        exceed = account.allows_exceed(p.user_id)
        sums[account.id] = demand = Demand(before + p.drawn, exceed)
        if demand.amount > MOST:
            text = f"no account holds that much {account.currency}"
            problems.append(Problem(p.id, reasons.BALANCE_EXCEEDED, text))
        elif not exceed and demand.amount > account.balance - account.reserved:
            contended = demand.amount <= account.balance
            problems.append(Problem(p.id, reasons.BALANCE_EXCEEDED, "the balance does not suffice", contended))
    return dict(sorted(sums.items())), problems
