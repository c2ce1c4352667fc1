"""Whose prices a caller may ask for."""

from __future__ import annotations

from libs.auth import PartyKind, Principal
from libs.errors import missing


def quoted_buyer(caller: Principal, buyer_id: str) -> str:
    """The buyer whose prices are quoted; raises `RESOURCE_NOT_FOUND` for one that the caller may not see.

    What a buyer has negotiated is nobody's business but his and the seller's: suppliers get default prices.
    """
    if caller.party_kind is PartyKind.SELLER:
        return buyer_id
    own = caller.party_id if caller.party_kind is PartyKind.BUYER else ""
    if buyer_id and buyer_id != own:
        raise missing("buyer", buyer_id)
    return own
