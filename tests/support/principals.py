"""Callers for tests."""

from __future__ import annotations

from libs.auth import PartyKind, Principal
from services import roles


def seller(*held: str, user: str = "admin") -> Principal:
    """A user of the marketplace's owner, with every role unless some are named."""
    return Principal(user, "seller", PartyKind.SELLER, frozenset(held or (roles.FULL_ACCESS,)), "back-office")


def buyer(*held: str, party: str = "acme", user: str = "anna", client: str = "shop") -> Principal:
    """A user of a buying company; a shopper unless roles are named."""
    return Principal(user, party, PartyKind.BUYER, frozenset(held or (roles.SHOPPER,)), client)


def supplier(*held: str, party: str = "bolt", user: str = "sven") -> Principal:
    """A user of a supplier, who ships and reads orders unless roles are named."""
    holds = frozenset(held or (roles.ORDER_READER, roles.SHIPMENT_ADMIN, roles.ORDER_ADMIN))
    return Principal(user, party, PartyKind.SUPPLIER, holds, "supplier-portal")


def refusal_of(caller: Principal, role: str) -> tuple[str, dict[str, str]]:
    """Reason and metadata for which a caller who lacks the role is refused what is for the seller alone."""
    return ("ROLE_MISSING", {"role": role}) if caller.is_seller else ("PARTY_NOT_ADMITTED", {"parties": "SELLER"})
