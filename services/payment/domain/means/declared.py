"""Types of payment that a marketplace declares: who may pay with them, and when their payments count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from libs.errors import Violations
from services.payment.domain.payments.payment import Payment, Problem
from services.payment.domain.payments.types import REGISTRY, Holding
from waybill.payment.v1 import reasons

BATCH = 1_000
AT_ONCE, BY_RECORD = "AT_ONCE", "BY_RECORD"
Key = tuple[str, str, str, str]
"""The type, the buyer, the user, the group; with neither of the last two every user of the buyer."""


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """A declared type as a payment looks at it."""

    id: str
    acceptance: str
    active: bool
    restricted: bool = False
    """Whether it was assigned to somebody: then it serves those whom it is assigned to, and nobody else."""
    users: Collection[str] = ()
    """Those of the payers whom it is assigned to; an empty user is everyone of their buyer."""
    groups: Collection[str] = ()
    """Those of the payer's groups that it is assigned to."""

    def serves(self, user_id: str, guest: bool) -> bool:
        """Whether the user may pay with it now. A guest is nobody whom anything is assigned to."""
        assigned = not guest and (user_id in self.users or "" in self.users or bool(self.groups))
        return self.active and (assigned or not self.restricted)


def check(found: Violations, where: str, id: str) -> None:
    """A declared type has a name of its own."""
    found.require(f"{where}.id", id not in REGISTRY, reasons.FIELD_INVALID, "is a type that is built in")


def check_assignments(found: Violations, keys: Sequence[Key], *, each_once: bool) -> None:
    """Well-formed, to a user, a group or a buyer, not too many."""
    found.require("assignments", 0 < len(keys) <= BATCH, reasons.TOO_MANY_ITEMS, f"1 to {BATCH:,} at a time")
    seen: set[Key] = set()
    for i, key in enumerate(keys[:BATCH]):
        where = f"assignments[{i}]"
        for name, value in zip(("payment_type_id", "buyer_id", "user_id", "user_group_id"), key, strict=True):
            found.check_id(f"{where}.{name}", value, required=name in ("payment_type_id", "buyer_id"))
        one = not (key[2] and key[3])
        found.require(f"{where}.user_group_id", one, reasons.FIELD_INVALID, "stands beside a user; either is assigned")
        found.require(where, not each_once or key not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(key)


def undeclared(payment: Payment, type: DeclaredType | None, guest: bool) -> list[Problem]:
    """There is no such type, or none that the user may pay with: which of these, nobody learns."""
    if type is not None and type.serves(payment.user_id, guest):
        return []
    text = f"there is no type {payment.type!r} that the user may pay with"
    return [Problem(payment.id, reasons.PAYMENT_TYPE_NOT_ALLOWED, text, field="type")]


def unaccepted(payments: Sequence[Payment], types: Mapping[str, DeclaredType], authorized: Mapping[str, int]) -> list[Problem]:
    """Resolved payments that need an authorization outside, and of which none is recorded that covers them."""
    problems: list[Problem] = []
    for p in payments:
        if p.holding is Holding.EXTERNAL and p.type in types and types[p.type].acceptance == BY_RECORD:
            good = authorized.get(p.id, 0)
            if good < p.due:
                text = "what was authorized outside, as recorded, does not cover the payment"
                problems.append(Problem(p.id, reasons.PAYMENT_NOT_ACCEPTED, text, field="type"))
    return problems


def shown(payment: Payment, type: DeclaredType | None, authorized: int) -> Payment:
    """The payment, before its submit, saying whether it counts. What the rest of a total comes to, the submit finds out."""
    if payment.holding is not Holding.EXTERNAL or type is None:
        return payment
    wanted = 1 if payment.amount is None else payment.amount
    return replace(payment, accepted=type.acceptance == AT_ONCE or authorized >= wanted)
