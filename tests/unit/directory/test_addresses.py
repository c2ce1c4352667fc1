import pytest

from libs.errors import WaybillError
from services import roles
from services.directory.application.address_book.addresses import only_own
from services.directory.domain.address_book.addresses import Assignment, Usable, default_id, usable
from tests.support.principals import buyer, seller, supplier


def ship(address, user="", group=""):
    return Assignment(address, user, True, False, group)


def open_to_all(*addresses):
    return [("", address) for address in addresses]


def bill(address, user="", group=""):
    return Assignment(address, user, False, True, group)


@pytest.mark.parametrize(
    ("assignments", "user", "expected"),
    [
        ([], "anna", ""),
        ([ship("a")], "anna", "a"),
        ([ship("a"), ship("b")], "anna", ""),
        ([ship("a"), ship("b"), ship("c", "anna")], "anna", "c"),
        ([ship("a"), ship("b", "anna"), ship("c", "anna")], "anna", ""),
        ([ship("a"), ship("b", "bob")], "anna", "a"),
        ([ship("b", "bob")], "anna", ""),
        ([ship("a"), bill("b", "anna")], "anna", "a"),
        ([ship("a"), ship("b", "anna")], "", "a"),
        ([Assignment("a", "anna", False, False), ship("b")], "anna", "b"),
        ([ship("a"), ship("b", group="g")], "anna", "b"),
        ([ship("a"), ship("b", group="g"), ship("c", "anna")], "anna", "c"),
        ([ship("a"), ship("b", group="g"), ship("c", group="h")], "anna", ""),
        ([ship("b", group="g"), ship("b", group="h")], "anna", "b"),
        ([ship("a"), bill("b", group="g")], "anna", "a"),
    ],
)
def test_the_default_is_the_only_one_at_the_most_specific_level(assignments, user, expected):
    assert default_id(assignments, user, billing=False) == expected
    # Billing follows the same rule.
    swapped = [Assignment(a.address_id, a.user_id, a.billing, a.shipping, a.group_id) for a in assignments]
    assert default_id(swapped, user, billing=True) == expected


def test_users_of_an_unrestricted_buyer_may_use_the_whole_book():
    book = [{"id": "a"}, {"id": "b"}]
    assert usable(open_to_all(*book), [], "anna", restricted=False) == [Usable(address, True, True) for address in book]


@pytest.mark.parametrize("restricted", [False, True])
def test_what_a_user_keeps_is_usable_by_nobody_else_even_where_it_is_assigned(restricted):
    book, assigned = [("", {"id": "hq"}), ("bob", {"id": "home"})], [ship("hq"), ship("home"), ship("home", "anna")]
    by = {who: [u.address["id"] for u in usable(book, assigned, who, restricted)] for who in ("anna", "bob", "")}
    assert by == {"anna": ["hq"], "bob": ["hq", "home"], "": ["hq"]}


def test_users_of_a_restricted_buyer_may_use_what_is_assigned_to_them_or_to_all():
    book = open_to_all(*({"id": id} for id in "abcd"))
    assigned = [bill("a"), ship("b", "anna"), ship("c", "bob")]
    assert [u.address["id"] for u in usable(book, assigned, "anna", restricted=True)] == ["a", "b"]
    assert [u.address["id"] for u in usable(book, assigned, "", restricted=True)] == ["a"]


@pytest.mark.parametrize(
    ("assigned", "purposes"),
    [
        ([ship("a")], [(True, False)]),
        ([bill("a")], [(False, True)]),
        ([ship("a"), bill("a", "anna")], [(True, True)]),
        ([ship("a", "bob"), bill("a")], [(False, True)]),
        ([ship("a", group="g"), bill("a")], [(True, True)]),
        ([Assignment("a", "anna", False, False)], []),
    ],
)
def test_an_assignment_lets_a_restricted_buyer_use_an_address_for_its_purposes_only(assigned, purposes):
    assert [(u.shipping, u.billing) for u in usable(open_to_all({"id": "a"}), assigned, "anna", restricted=True)] == purposes


BOOKS = {"SELLER:seller", "BUYER:acme", "SUPPLIER:north"}


def test_who_may_write_a_book():
    assert not only_own(seller(roles.ADDRESS_ADMIN), BOOKS)
    assert not only_own(supplier(roles.ADDRESS_ADMIN), {"SUPPLIER:north"})
    assert not only_own(buyer(roles.ADDRESS_ADMIN, roles.ME_ADDRESS_ADMIN), {"BUYER:acme"})
    assert only_own(buyer(roles.ME_ADDRESS_ADMIN), {"BUYER:acme"})
    for caller in (buyer(), supplier(roles.ME_ADDRESS_ADMIN), seller(roles.ME_ADDRESS_ADMIN)):
        with pytest.raises(WaybillError) as refused:
            only_own(caller, BOOKS)
        assert refused.value.metadata == {"role": roles.ADDRESS_ADMIN}


@pytest.mark.parametrize(
    ("caller", "books"),
    [
        (seller(roles.ADMIN_ADDRESS_ADMIN), {"SELLER:seller"}),
        (seller(roles.SUPPLIER_ADDRESS_ADMIN), {"SUPPLIER:north"}),
        (seller(roles.ADMIN_ADDRESS_ADMIN, roles.SUPPLIER_ADDRESS_ADMIN), {"SELLER:seller", "SUPPLIER:north"}),
        (supplier(roles.SUPPLIER_ADDRESS_ADMIN), {"SUPPLIER:north"}),
    ],
)
def test_a_narrower_role_is_for_some_books(caller, books):
    assert not only_own(caller, books)
    for other in BOOKS - books:
        with pytest.raises(WaybillError) as refused:
            only_own(caller, {*books, other})
        assert refused.value.metadata["id"] == other.partition(":")[2]
