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
