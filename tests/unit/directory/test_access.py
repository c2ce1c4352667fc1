import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.auth import PartyKind, Principal
from libs.errors import Kind, Violations, WaybillError
from libs.identify import folded
from services import roles
from services.directory.domain.access import (
    client_admits,
    commands,
    grantable,
    known_roles,
    managed_kinds,
    require_managed,
    require_party,
    sees_party,
    token_roles,
)
from services.directory.domain.tokens.grants import Account, Client, admits
from tests.support.principals import buyer, seller, supplier

FULL, SHOP, READ, USERS = roles.FULL_ACCESS, roles.SHOPPER, roles.ORDER_READER, roles.USER_ADMIN
SOME = st.frozensets(st.sampled_from(sorted(roles.ALL_ROLES)))
ORDINARY = st.frozensets(st.sampled_from(sorted(roles.ALL_ROLES - {FULL})))


def noted(found):
    return [(f.field, f.reason) for f in found.items]


@pytest.mark.parametrize(
    ("held", "most", "wanted", "expected"),
    [
        ({SHOP}, (), (), {SHOP}),
        ({SHOP, READ}, {SHOP}, (), {SHOP}),
        ({SHOP, READ}, (), {READ}, {READ}),
        ({SHOP, READ}, {SHOP}, {READ}, None),
        ({SHOP}, (), {FULL}, None),
        ({SHOP}, (), {"Wizard"}, None),
        ({SHOP}, {READ}, (), set()),
        ({FULL}, (), (), {FULL}),
        ({FULL}, (), {READ}, {READ}),
        ({FULL}, (), {FULL}, {FULL}),
        ({FULL}, {READ, SHOP}, (), {READ, SHOP}),
        ({FULL}, {READ}, {FULL}, None),
        ({FULL}, {READ}, {SHOP}, None),
        ({SHOP}, {FULL}, (), {SHOP}),
        ({FULL}, {FULL, READ}, (), {FULL}),
        ((), (), (), set()),
    ],
)
def test_roles_of_a_token(held, most, wanted, expected):
    assert token_roles(held, most, wanted) == expected


@given(held=ORDINARY, most=SOME, wanted=SOME)
def test_a_token_never_carries_more_than_is_held_allowed_and_wanted(held, most, wanted):
    got = token_roles(held, most, wanted)
    if got is None:
        assert wanted
        return
    assert got <= held
    assert not wanted or got == wanted
    assert not most or FULL in most or got <= most


@given(held=SOME, most=ORDINARY.filter(bool), wanted=SOME)
def test_nobody_gets_past_the_limit_of_a_client(held, most, wanted):
    got = token_roles(held, most, wanted)
    assert got is None or got <= most


@pytest.mark.parametrize(
    ("kind", "party", "settings", "admitted"),
    [
        ("SELLER", "seller", {"seller": True}, True),
        ("SELLER", "seller", {"any_buyer": True, "any_supplier": True, "buyer_ids": ["seller"]}, False),
        ("BUYER", "acme", {"any_buyer": True}, True),
        ("BUYER", "acme", {"buyer_ids": ["acme"]}, True),
        ("BUYER", "acme", {"buyer_ids": ["globex"]}, False),
        ("BUYER", "acme", {"seller": True, "any_supplier": True, "supplier_ids": ["acme"]}, False),
        ("SUPPLIER", "bolt", {"any_supplier": True}, True),
        ("SUPPLIER", "bolt", {"supplier_ids": ["bolt"]}, True),
        ("SUPPLIER", "bolt", {"any_buyer": True, "buyer_ids": ["bolt"]}, False),
    ],
)
def test_a_client_admits_the_companies_that_it_names(kind, party, settings, admitted):
    rules = {"seller": False, "any_buyer": False, "any_supplier": False, "buyer_ids": (), "supplier_ids": ()}
    assert client_admits(kind, party, **{**rules, **settings}) is admitted


@pytest.mark.parametrize("inactive", ["client", "user", "company", "nobody"])
def test_nothing_inactive_is_let_in(inactive):
    client = Client("shop", inactive != "client", 60, None, "", (), False, True, False, (), ())
    user = Account("anna", "anna", "BUYER", "acme", inactive != "company", inactive != "user", (), None)
    assert admits(client, user) is (inactive == "nobody")


def test_everyone_sees_the_own_company_and_the_seller_all():
    assert sees_party(buyer(), "BUYER", "acme")
    assert not sees_party(buyer(), "BUYER", "globex")
    assert not sees_party(buyer(), "SUPPLIER", "acme")
    assert sees_party(supplier(), "SUPPLIER", "bolt")
    assert sees_party(seller(SHOP), "BUYER", "globex")
    with pytest.raises(WaybillError) as refused:
        require_party(buyer(), "BUYER", "globex")
    assert (refused.value.kind, refused.value.metadata) == (Kind.MISSING, {"resource": "buyer", "id": "globex"})


def test_unknown_and_repeated_roles_are_noted():
    found = Violations()
    known_roles(found, "user.roles", [SHOP, "Wizard", SHOP])
    assert noted(found) == [("user.roles[1]", "ROLE_NOT_AVAILABLE"), ("user.roles[2]", "DUPLICATE_ITEM")]


def test_nobody_gives_a_role_that_it_does_not_hold():
    found = Violations()
    grantable(found, "user.roles", buyer(USERS, SHOP), [SHOP, READ])
    assert noted(found) == [("user.roles[1]", "ROLE_NOT_AVAILABLE")]
    found = Violations()
    grantable(found, "user.roles", seller(), sorted(roles.ALL_ROLES))
    assert not found


def test_nobody_commands_a_user_who_holds_more():
    for caller, held, fine in (
        (buyer(USERS, SHOP), [SHOP], True),
        (buyer(USERS), [SHOP], False),
        (buyer(USERS), [], True),
        (seller(USERS), [FULL], False),
        (seller(), [FULL, SHOP], True),
    ):
        found = Violations()
        commands(found, "user_id", caller, held)
        assert bool(found) is not fine


def test_user_names_differ_by_more_than_case():
    assert folded("Anna.Straße") == folded("ANNA.STRASSE") != folded("ana.strasse")


OURS, BUYERS, SUPPLIERS = PartyKind.SELLER, PartyKind.BUYER, PartyKind.SUPPLIER
NARROW = {OURS: roles.ADMIN_USER_ADMIN, BUYERS: roles.BUYER_USER_ADMIN, SUPPLIERS: roles.SUPPLIER_USER_ADMIN}


@pytest.mark.parametrize("own", PartyKind)
@given(held=SOME)
def test_users_are_managed_by_who_is_for_them_and_by_companies_within_themselves(own, held):
    caller = Principal("ann", "acme", own, held, "shop")
    everyone = bool(held & {FULL, USERS})
    expected = {kind for kind, role in NARROW.items() if (everyone or role in held) and own in (OURS, kind)}
    assert managed_kinds(caller) == expected


def test_a_company_whose_users_are_not_managed_is_not_there():
    for caller, kind, company in (
        (seller(roles.BUYER_USER_ADMIN), "SUPPLIER", "bolt"),
        (seller(roles.BUYER_USER_ADMIN), "SELLER", "seller"),
        (buyer(roles.BUYER_USER_ADMIN), "BUYER", "globex"),
        (buyer(roles.ADMIN_USER_ADMIN, roles.SUPPLIER_USER_ADMIN), "BUYER", "acme"),
        (supplier(USERS), "BUYER", "acme"),
    ):
        with pytest.raises(WaybillError) as error:
            require_managed(caller, kind, company)
        assert error.value.kind is Kind.MISSING
    require_managed(seller(roles.BUYER_USER_ADMIN), "BUYER", "globex")
    require_managed(supplier(roles.SUPPLIER_USER_ADMIN), "SUPPLIER", "bolt")
