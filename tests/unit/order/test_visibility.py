"""The one visibility rule, by party, direction and role."""

from dataclasses import replace

import pytest

from libs.auth import PartyKind, Principal
from libs.errors import WaybillError
from services import roles
from services.order.domain.reading.visibility import BuyerOrders, Direction, Scope, SupplierOrders, scope

D = Direction


def caller(kind: PartyKind, *held: str) -> Principal:
    return Principal("me", "mine", kind, frozenset(held), "shop")


SHOPPER = caller(PartyKind.BUYER, roles.SHOPPER)
READER = caller(PartyKind.BUYER, roles.SHOPPER, roles.ORDER_READER)
SELLER = caller(PartyKind.SELLER, roles.ORDER_ADMIN)
OWNER = caller(PartyKind.SELLER, roles.FULL_ACCESS)
GUEST = replace(caller(PartyKind.BUYER, roles.SHOPPER, roles.ORDER_ADMIN), order_id="cart-1")
CLERK = caller(PartyKind.SUPPLIER, roles.ORDER_READER)
OWN = Scope(BuyerOrders("mine", "me", False, False, False), None)
ONE = Scope(BuyerOrders("mine", "me", False, False, False, "cart-1"), None)
COMPANY = Scope(BuyerOrders("mine", "me", False, True, False), None)
SUBMITTED = BuyerOrders(None, "me", True, True, False)
EVERYTHING = BuyerOrders(None, "me", True, True, True)
NOTHING = Scope(None, None)


@pytest.mark.parametrize(
    ("who", "direction", "expected"),
    [
        (SHOPPER, D.OUTGOING, OWN),
        (SHOPPER, D.ALL, OWN),
        (SHOPPER, D.INCOMING, NOTHING),
        (READER, D.OUTGOING, COMPANY),
        (GUEST, D.OUTGOING, ONE),
        (GUEST, D.ALL, ONE),
        (GUEST, D.INCOMING, NOTHING),
        (SELLER, D.INCOMING, Scope(SUBMITTED, None)),
        (SELLER, D.OUTGOING, Scope(None, SupplierOrders(None))),
        (SELLER, D.ALL, Scope(SUBMITTED, SupplierOrders(None))),
        (OWNER, D.INCOMING, Scope(EVERYTHING, None)),
        (CLERK, D.INCOMING, Scope(None, SupplierOrders("mine"))),
        (CLERK, D.ALL, Scope(None, SupplierOrders("mine"))),
        (CLERK, D.OUTGOING, NOTHING),
    ],
)
def test_each_party_sees_what_the_rule_says(who: Principal, direction: Direction, expected: Scope) -> None:
    assert scope(who, direction) == expected


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("who", "role"),
    [
        (caller(PartyKind.BUYER), roles.SHOPPER),
        (caller(PartyKind.BUYER, roles.UNSUBMITTED_ORDER_READER), roles.SHOPPER),
        (caller(PartyKind.SELLER, roles.SHOPPER), roles.ORDER_READER),
        (caller(PartyKind.SELLER, roles.PRODUCT_ADMIN), roles.ORDER_READER),
        (caller(PartyKind.SUPPLIER), roles.ORDER_READER),
    ],
)
def test_who_lacks_every_role_that_shows_an_order_learns_of_one(who: Principal, role: str, direction: Direction) -> None:
    with pytest.raises(WaybillError) as refused:
        scope(who, direction)
    assert (refused.value.reason, refused.value.metadata) == ("ROLE_MISSING", {"role": role})
