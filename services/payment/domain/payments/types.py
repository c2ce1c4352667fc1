"""Kinds of payment. The type is a text; which there are, and what each does, is looked up here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CREDIT_CARD = "credit_card"
SPENDING_ACCOUNT = "spending_account"
PURCHASE_ORDER = "purchase_order"


class Holding(StrEnum):
    """Where the money of a payment is held while its order is undecided."""

    NOTHING = "NOTHING"
    """A promise, kept outside of Waybill."""
    BALANCE = "BALANCE"
    """Part of a spending account's balance, in our ledger."""
    GATEWAY = "GATEWAY"
    """An authorization at a payment gateway."""
    EXTERNAL = "EXTERNAL"
    """Outside of Waybill, where others move it: what they do is recorded."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """What a type of payment does."""

    holding: Holding

    @property
    def accepted_at_once(self) -> bool:
        """Whether it counts as soon as it is added; else by its authorization."""
        return self.holding is not Holding.GATEWAY


PROMISE: Final = Behavior(Holding.NOTHING)
REGISTRY: Final[Mapping[str, Behavior]] = {
    PURCHASE_ORDER: PROMISE,
    SPENDING_ACCOUNT: Behavior(Holding.BALANCE),
    CREDIT_CARD: Behavior(Holding.GATEWAY),
}


HELD: Final = tuple(sorted(type for type, does in REGISTRY.items() if does.holding is not Holding.NOTHING))
"""What a channel takes that names nothing: types whose money is held somewhere before the order opens."""


def behavior(type: str) -> Behavior:
    """What a type does. Payments of an unknown one were taken once, as promises; none is added any more."""
    return REGISTRY.get(type, PROMISE)


def known(type: str) -> bool:
    """Whether there is such a type."""
    return type in REGISTRY


def taken(named: Collection[str]) -> Collection[str]:
    """The types that a channel takes, by those that it names."""
    return named or HELD
