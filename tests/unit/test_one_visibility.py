"""Two services answer reads of supplier orders; what a caller sees of them is one rule."""

import pytest

from libs.auth import PartyKind, Principal
from libs.errors import WaybillError
from services import roles
from services.fulfillment.domain import visibility as fulfillment
from services.fulfillment.domain.visibility import supplier_orders
from services.order.domain.reading import visibility as order
from services.order.domain.reading.visibility import Direction, scope

HELD = [(), *((role,) for role in sorted(roles.ALL_ROLES)), (roles.ORDER_READER, roles.ORDER_ADMIN)]


def by_order(caller: Principal) -> str:
    try:
        seen = scope(caller, Direction.ALL).supplier_orders
    except WaybillError as error:
        return error.reason
    return "none" if seen is None else f"of {seen.supplier_id}"


def by_fulfillment(caller: Principal) -> str:
    try:
        seen = supplier_orders(caller)
    except WaybillError as error:
        return error.reason
    return "none" if seen.nothing else f"of {seen.supplier_id}"


@pytest.mark.parametrize("kind", [PartyKind.SELLER, PartyKind.SUPPLIER])
@pytest.mark.parametrize("held", HELD)
def test_the_seller_and_suppliers_see_the_same_supplier_orders_in_both_services(kind: PartyKind, held: tuple[str, ...]) -> None:
    caller = Principal("me", "mine", kind, frozenset(held), "portal")
    assert by_fulfillment(caller) == by_order(caller)
    reads = bool({roles.ORDER_READER, roles.ORDER_ADMIN, roles.FULL_ACCESS} & set(held))
    assert by_order(caller) == ("ROLE_MISSING" if not reads else "of None" if caller.is_seller else "of mine")


@pytest.mark.parametrize("held", HELD)
def test_buyers_see_no_supplier_order_in_either_service(held: tuple[str, ...]) -> None:
    caller = Principal("me", "mine", PartyKind.BUYER, frozenset(held), "shop")
    assert by_fulfillment(caller) == "none"
    assert by_order(caller) in ("none", "ROLE_MISSING")


EVERY_SIDE = {"SELL", "COST", "COMMISSION", "BUYER"}


@pytest.mark.parametrize(
    ("kind", "costed", "seen"),
    [
        (PartyKind.SELLER, False, EVERY_SIDE),
        (PartyKind.SELLER, True, EVERY_SIDE),
        (PartyKind.SUPPLIER, False, {"SELL"}),
        (PartyKind.SUPPLIER, True, {"COST"}),
        (PartyKind.BUYER, False, set()),
        (PartyKind.BUYER, True, set()),
    ],
)
def test_both_services_show_the_same_sides_whatever_roles_are_held(kind: PartyKind, costed: bool, seen: set[str]) -> None:
    for held in HELD:
        caller = Principal("me", "mine", kind, frozenset(held), "portal")
        assert fulfillment.sides(caller, costed) == order.sides(caller, costed) == seen
