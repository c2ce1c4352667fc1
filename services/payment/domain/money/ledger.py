"""Double entry: every movement has sides that add up to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.types import Holding

ISSUED = "marketplace:issued"
RECEIPTS = "marketplace:receipts"
RECEIVABLE = "marketplace:receivable"
POINTS = "marketplace:points"
"""Between money and the units of the seller's own that are paid in its place."""
EXTERNAL = "external:"
"""Before the name of a declared type, whose money is taken and given back outside."""
_SPENDING = "spending_account:"


@dataclass(frozen=True, slots=True)
class Side:
    """One side. `amount` is what the account gains, in micros."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a movement that belongs to no payment, and in which request; empty for one without an id."""

    user_id: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a balance changes without a payment. Its id, currency and description are those of the movement."""

    spending_account_id: str
    amount: int
    asked: Asked


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of money, or of a unit of the seller's own. Its id is that of the payment's transaction, or of the adjustment,
    that is its cause; a transaction that moves both has one of each."""

    id: str
    currency: str
    description: str
    sides: tuple[Side, ...]
    order_id: str = ""
    payment_id: str = ""
    adjustment: Adjustment | None = None
    """Of a movement without a payment."""

    def __post_init__(self) -> None:
        if sum(side.amount for side in self.sides):
            raise ValueError(f"movement {self.id} does not balance")


def account_of(spending_account_id: str) -> str:
    """The ledger account of a spending account."""
    return f"{_SPENDING}{spending_account_id}"


def _between(gains: str, loses: str, amount: int) -> tuple[Side, ...]:
    return Side(gains, amount), Side(loses, -amount)


def issued(id: str, spending_account_id: str, currency: str, amount: int, description: str, asked: Asked) -> Movement:
    """A balance is added to, or taken from."""
    sides = _between(account_of(spending_account_id), ISSUED, amount)
    return Movement(id, currency, description, sides, adjustment=Adjustment(spending_account_id, amount, asked))


def taken(id: str, payment: Payment, amount: int, units: int, gateway: str, description: str) -> list[Movement]:
    """Money is taken: of an account or as a promise when the order is confirmed, of a card, or outside, when it is captured.

    What an account pays in a unit of the seller's own is `units` of that, and the money that they are worth.
    """

    def movement(unit: str, sides: tuple[Side, ...]) -> Movement:
        return Movement(id, unit, description, sides, payment.order_id, payment.id)

    if payment.holding is Holding.GATEWAY:
        return [movement(payment.currency, _between(RECEIPTS, f"gateway:{gateway}", amount))]
    if payment.holding is Holding.EXTERNAL:
        return [movement(payment.currency, _between(RECEIPTS, f"{EXTERNAL}{payment.type}", amount))]
    if payment.holding is not Holding.BALANCE:
        return [movement(payment.currency, _between(RECEIVABLE, f"buyer:{payment.buyer_id}", amount))]
    account = account_of(payment.spending_account_id)
    if not payment.unit:
        return [movement(payment.currency, _between(RECEIPTS, account, amount))]
    money = movement(payment.currency, _between(RECEIPTS, POINTS, amount))
    return [money, movement(payment.unit, _between(POINTS, account, units))] if units else [money]


def returned(id: str, payment: Payment, amount: int, units: int, gateway: str, description: str) -> list[Movement]:
    """Money goes back where it came from, and units with it."""
    made = taken(id, payment, amount, units, gateway, description)
    return [replace(m, sides=tuple(Side(s.account, -s.amount) for s in m.sides)) for m in made]


def account_gains(movements: Sequence[Movement]) -> dict[str, int]:
    """What spending accounts gain, by their id."""
    gains: dict[str, int] = {}
    for movement in movements:
        for side in movement.sides:
            if side.account.startswith(_SPENDING):
                id = side.account.removeprefix(_SPENDING)
                gains[id] = gains.get(id, 0) + side.amount
    return gains
