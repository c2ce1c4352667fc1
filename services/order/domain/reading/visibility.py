"""Who sees which orders: the one rule, as a value that the store turns into a condition.

A buyer's user sees the company's buyer orders: the own ones always, others' with OrderReader or OrderAdmin, and others'
unsubmitted ones with UnsubmittedOrderReader as well. The seller's users see buyer orders in the same way, "own" being
those they created for a buyer, and supplier orders with OrderReader or OrderAdmin. A supplier's users see the
supplier orders of their company, with the same roles. A guest sees the one order that its token is for, as long as it is
a guest's. (Seed, direction and visibility.)

Whoever holds none of these roles gets an error that says so; what they do not show is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from libs.auth import PartyKind, Principal
from services import roles
from services.order.domain.model import Event, Origin

READERS = (roles.ORDER_READER, roles.ORDER_ADMIN)


class Direction(StrEnum):
    """Which orders a caller means, relative to the caller's own company."""

    INCOMING = "INCOMING"
    OUTGOING = "OUTGOING"
    ALL = "ALL"


class Side(StrEnum):
    """A part of a supplier order that not everyone who sees the order is shown."""

    SELL = "SELL"
    """What the buyer pays for it: unit prices, subtotal, discount, shipping cost, tax, total, and what of them was canceled."""
    COST = "COST"
    """What the seller pays its supplier: unit costs, cost and payable."""
    COMMISSION = "COMMISSION"
    """What the seller keeps, which follows from the two."""
    BUYER = "BUYER"
    """Who bought, and how: the buyer's user, the API client, where the bill goes and what a line is booked on. What is shipped
    needs none of it."""


@dataclass(frozen=True, slots=True)
class BuyerOrders:
    """Buyer orders that are seen. None as a buyer means every buyer's."""

    buyer_id: str | None
    own_user_id: str
    """Whose orders are seen in every status: the orderer's for a buyer, the creator's for the seller."""
    by_creator: bool
    others: bool
    others_unsubmitted: bool
    order_id: str | None = None
    """The only one that is seen, of a guest; None for all."""


@dataclass(frozen=True, slots=True)
class SupplierOrders:
    """Supplier orders that are seen. None as a supplier means every one's."""

    supplier_id: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller sees in a direction. Both parts absent: nothing."""

    buyer_orders: BuyerOrders | None
    supplier_orders: SupplierOrders | None


@dataclass(frozen=True, slots=True)
class Owners:
    """What of an order decides who sees it."""

    id: str
    kind: str
    """BUYER or SUPPLIER; a scope lets nobody see any other."""
    buyer_id: str
    supplier_id: str
    user_id: str
    created_by: str
    is_submitted: bool


def sees(seen: Scope, owners: Owners) -> bool:
    """Whether a scope lets see an order: what the store's condition on its table says, of one order that is at hand."""
    if owners.kind == "SUPPLIER":
        suppliers = seen.supplier_orders
        return suppliers is not None and suppliers.supplier_id in (None, owners.supplier_id)
    buyers = seen.buyer_orders
    if owners.kind != "BUYER" or buyers is None or buyers.buyer_id not in (None, owners.buyer_id):
        return False
    if buyers.order_id not in (None, owners.id):
        return False
    own = (owners.created_by if buyers.by_creator else owners.user_id) == buyers.own_user_id
    return own or (buyers.others and (buyers.others_unsubmitted or owners.is_submitted))


def sides(caller: Principal, costed: bool) -> frozenset[Side]:
    """Which sides of a supplier order that `caller` sees are shown: to the seller all, to a buyer none, and to its supplier
    one side of the amounts: the cost side of one that is `costed`, the sell side of any other.
    """
    if caller.is_seller:
        return frozenset(Side)
    if caller.party_kind is PartyKind.BUYER:
        return frozenset()
    return frozenset({Side.COST if costed else Side.SELL})


def event_shown(event: Event, caller: Principal) -> Event:
    """The event as a caller sees it: through which client and by which call it was made is the seller's to know."""
    return event if caller.is_seller else replace(event, origin=Origin())


def scope(caller: Principal, direction: Direction) -> Scope:
    """What `caller` sees in `direction`. Raises `ROLE_MISSING` when no role of the caller shows any order."""
    buyer = caller.party_kind is PartyKind.BUYER
    caller.require(*((roles.SHOPPER, *READERS) if buyer else READERS))
    reads_all = caller.has(*READERS)
    unsubmitted = caller.has(roles.UNSUBMITTED_ORDER_READER)
    if buyer:
        if direction is Direction.INCOMING:
            return Scope(None, None)
        if caller.is_guest:
            return Scope(BuyerOrders(caller.party_id, caller.user_id, False, False, False, caller.order_id), None)
        own = BuyerOrders(caller.party_id, caller.user_id, False, reads_all, reads_all and unsubmitted)
        return Scope(own, None)
    if caller.party_kind is PartyKind.SUPPLIER:
        if direction is Direction.OUTGOING:
            return Scope(None, None)
        return Scope(None, SupplierOrders(caller.party_id))
    buyers = BuyerOrders(None, caller.user_id, True, True, unsubmitted)
    return Scope(
        buyers if direction is not Direction.OUTGOING else None,
        SupplierOrders(None) if direction is not Direction.INCOMING else None,
    )
