"""Who may see what: one predicate a resource, stated once; the queries are its translation.

Whoever lacks every role that could show a resource gets an error that names the role; what a role does not show is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from libs.auth import Principal
from libs.auth.principal import PartyKind
from services import roles
from services.fulfillment.domain.shipments.shipment import Shipment, ShipmentItem

STOCK_READERS = (roles.INVENTORY_ADMIN, roles.PRODUCT_ADMIN, roles.SHIPMENT_ADMIN, roles.INVENTORY_READER)
"""Who keeps stock, who sells it, who packs it, who looks at it."""


class Side(StrEnum):
    """A part of a supplier order that not everyone who sees the order is shown."""

    SELL = "SELL"
    """What the buyer pays for it: unit prices, subtotal, discount, shipping cost, tax, included tax, total, and what of them was
    canceled."""
    COST = "COST"
    """What the seller pays its supplier: unit costs, cost and payable."""
    COMMISSION = "COMMISSION"
    """What the seller keeps, which follows from the two."""
    BUYER = "BUYER"
    """Who bought, and how: the buyer's user, the API client, where the bill goes and what a line is booked on. What is shipped
    needs none of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the marketplace.

    None means that this does not narrow it; an empty supplier id is the seller.
    """

    supplier_id: str | None = None
    buyer_id: str | None = None
    user_id: str | None = None
    order_id: str | None = None
    """Of a guest: the one order that its token is for."""
    nothing: bool = False

    def bound(self) -> dict[str, str]:
        """What a page token belongs to."""
        return {"s": repr(self.supplier_id), "b": repr(self.buyer_id), "u": repr(self.user_id), "o": repr(self.order_id)}

    def holds(self, item: ShipmentItem) -> bool:
        """Whether an item of a buyer's order is one of those that this user, or guest, has ordered."""
        return self.user_id in (None, item.user_id) and self.order_id in (None, item.order_id)

    def of_supplier(self, supplier_id: str) -> bool:
        """Whether what is this supplier's lies within, for all that suppliers narrow it."""
        return not self.nothing and self.supplier_id in (None, supplier_id)


NOTHING = Scope(nothing=True)
EVERYTHING = Scope()


def supplier_orders(caller: Principal) -> Scope:
    """Supplier orders, with OrderReader or OrderAdmin, as in the order service. Raises `ROLE_MISSING`."""
    return _with_role(caller, roles.ORDER_READER, roles.ORDER_ADMIN)


def sides(caller: Principal, costed: bool) -> frozenset[Side]:
    """Which sides of a supplier order that the caller may see are shown: to the seller all, to a buyer none, and to its supplier
    one side of the amounts: the cost side of one that is `costed`, the sell side of any other.
    """
    if caller.is_seller:
        return frozenset(Side)
    if _side(caller).nothing:
        return frozenset()
    return frozenset({Side.COST if costed else Side.SELL})


def stock(caller: Principal) -> Scope:
    """Inventory records and their ledger, with one of the roles that have to do with stock. Raises `ROLE_MISSING`."""
    return _with_role(caller, *STOCK_READERS)


def shipments(caller: Principal) -> Scope:
    """Shipments: also buyers, of the own orders; of the whole company's with OrderReader or OrderAdmin.

    Raises `ROLE_MISSING`.
    """
    if caller.party_kind is not PartyKind.BUYER:
        return _with_role(caller, roles.ORDER_READER, roles.ORDER_ADMIN, roles.SHIPMENT_ADMIN, roles.SHIPMENT_READER)
    caller.require(roles.SHOPPER, roles.ORDER_READER, roles.ORDER_ADMIN)
    if caller.is_guest:
        return Scope(buyer_id=caller.party_id, user_id=caller.user_id, order_id=caller.order_id)
    whole = caller.has(roles.ORDER_READER, roles.ORDER_ADMIN)
    return Scope(buyer_id=caller.party_id, user_id=None if whole else caller.user_id)


def seen(shipment: Shipment, scope: Scope) -> Shipment:
    """A shipment of the scope as it is shown.

    A buyer sees neither what it cost the supplier nor where it left from and which stock its units were taken from, and a user
    without the company's orders the own items only.
    """
    if scope.buyer_id is None:
        return shipment
    own = [i for i in shipment.items if scope.holds(i)]
    return replace(shipment, cost=None, ship_from_id="", items=tuple(replace(i, record_id="") for i in own))


def may_act_for(caller: Principal, supplier_id: str) -> bool:
    """Whether what is this supplier's is the caller's to change, given the role: the seller's anything, a supplier's own."""
    return _side(caller).of_supplier(supplier_id)


def _with_role(caller: Principal, *any_of: str) -> Scope:
    """What suppliers and the seller deal with; no role shows it to a buyer."""
    if caller.party_kind is not PartyKind.BUYER:
        caller.require(*any_of)
    return _side(caller)


def _side(caller: Principal) -> Scope:
    """The seller's is all, a supplier's its own, a buyer's nothing."""
    if caller.is_seller:
        return EVERYTHING
    if caller.party_kind is PartyKind.SUPPLIER and caller.party_id:
        return Scope(supplier_id=caller.party_id)
    return NOTHING
