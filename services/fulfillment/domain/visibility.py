"""Who may see what: one predicate a resource, stated once; the queries are its translation."""

from __future__ import annotations

from dataclasses import dataclass

from libs.auth import Principal, roles
from libs.auth.principal import PartyKind

SHIPMENT_READERS = (roles.SHOPPER, roles.ORDER_READER, roles.ORDER_ADMIN)


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the marketplace.

    None means that this does not narrow it; an empty supplier id is the seller.
    """

    supplier_id: str | None = None
    buyer_id: str | None = None
    user_id: str | None = None
    nothing: bool = False

    def bound(self) -> dict[str, str]:
        """What a page token belongs to."""
        return {"s": repr(self.supplier_id), "b": repr(self.buyer_id), "u": repr(self.user_id)}


NOTHING = Scope(nothing=True)
EVERYTHING = Scope()


def supplier_side(caller: Principal) -> Scope:
    """Supplier orders, inventory and its ledger: the seller sees all, a supplier its own, buyers none."""
    if caller.is_seller:
        return EVERYTHING
    if caller.party_kind is PartyKind.SUPPLIER and caller.party_id:
        return Scope(supplier_id=caller.party_id)
    return NOTHING


def shipments(caller: Principal) -> Scope:
    """Shipments: also buyers, of the own orders; of the whole company's with OrderReader or OrderAdmin."""
    if caller.party_kind is not PartyKind.BUYER:
        return supplier_side(caller)
    caller.require(*SHIPMENT_READERS)
    whole = caller.has(roles.ORDER_READER, roles.ORDER_ADMIN)
    return Scope(buyer_id=caller.party_id, user_id=None if whole else caller.user_id)


def may_act_for(caller: Principal, supplier_id: str) -> bool:
    """Whether the caller may change what is this supplier's: the seller anything, a supplier its own."""
    scope = supplier_side(caller)
    return not scope.nothing and scope.supplier_id in (None, supplier_id)
