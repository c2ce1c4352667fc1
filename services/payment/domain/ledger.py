"""Double entry: every movement has sides that add up to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.payment.domain.payment import CREDIT_CARD, SPENDING_ACCOUNT, Payment

ISSUED = "marketplace:issued"
RECEIPTS = "marketplace:receipts"
RECEIVABLE = "marketplace:receivable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One side. `amount` is what the account gains, in micros."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of money."""

    id: str
    currency: str
    description: str
    entries: tuple[Entry, ...]
    order_id: str = ""
    payment_id: str = ""

    def __post_init__(self) -> None:
        if sum(entry.amount for entry in self.entries):
            raise ValueError(f"movement {self.id} does not balance")


def account_of(spending_account_id: str) -> str:
    """The ledger account of a spending account."""
    return f"spending_account:{spending_account_id}"


def _between(gains: str, loses: str, amount: int) -> tuple[Entry, ...]:
    return Entry(gains, amount), Entry(loses, -amount)


def issued(id: str, spending_account_id: str, currency: str, amount: int, description: str) -> Movement:
    """A balance is added to, or taken from."""
    return Movement(id, currency, description, _between(account_of(spending_account_id), ISSUED, amount))


def confirmed(id: str, payment: Payment) -> Movement | None:
    """An order opened: an account is debited, a promise becomes a receivable. A card moves at its capture."""
    if payment.type == CREDIT_CARD or not payment.due:
        return None
    if payment.type == SPENDING_ACCOUNT:
        entries = _between(RECEIPTS, account_of(payment.spending_account_id), payment.due)
    else:
        entries = _between(RECEIVABLE, f"buyer:{payment.buyer_id}", payment.due)
    return Movement(id, payment.currency, "order confirmed", entries, payment.order_id, payment.id)


def captured(id: str, payment: Payment, amount: int, gateway: str) -> Movement:
    """A card's money was taken."""
    entries = _between(RECEIPTS, f"gateway:{gateway}", amount)
    return Movement(id, payment.currency, "captured", entries, payment.order_id, payment.id)


def returned(id: str, payment: Payment, amount: int, gateway: str, description: str) -> Movement:
    """Money goes back where it came from."""
    if payment.type == CREDIT_CARD:
        entries = _between(f"gateway:{gateway}", RECEIPTS, amount)
    elif payment.type == SPENDING_ACCOUNT:
        entries = _between(account_of(payment.spending_account_id), RECEIPTS, amount)
    else:
        entries = _between(f"buyer:{payment.buyer_id}", RECEIVABLE, amount)
    return Movement(id, payment.currency, description, entries, payment.order_id, payment.id)


def account_changes(movements: Sequence[Movement]) -> dict[str, int]:
    """What spending accounts gain, by their id."""
    gains: dict[str, int] = {}
    for movement in movements:
        for entry in movement.entries:
            kind, _, id = entry.account.partition(":")
            if kind == "spending_account":
                gains[id] = gains.get(id, 0) + entry.amount
    return gains
