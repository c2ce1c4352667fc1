"""Whose prices a caller may ask for, and whose it may set."""

from __future__ import annotations

from libs.auth import PartyKind, Principal
from libs.errors import missing
from services.pricing.application.calculation.priced_groups import Customer


def quoted(caller: Principal, buyer_id: str, user_id: str) -> Customer:
    """Whose prices are quoted; raises `RESOURCE_NOT_FOUND` for a buyer or user that the caller may not see.

    What a buyer has negotiated is nobody's business but his and the seller's: suppliers get default prices.
    """
    if caller.party_kind is PartyKind.SELLER:
        return Customer(buyer_id, user_id)
    own = caller.party_id if caller.party_kind is PartyKind.BUYER else ""
    if buyer_id and buyer_id != own:
        raise missing("buyer", buyer_id)
    if user_id and user_id != caller.user_id:
        raise missing("user", user_id)
    return Customer(own, caller.user_id)


def supplier_of(caller: Principal) -> str:
    """The supplier that the caller is of; empty for others."""
    return caller.party_id if caller.party_kind is PartyKind.SUPPLIER else ""
