"""Companies, users, API clients and addresses are deleted while nothing in the directory names them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest

from libs.errors import Kind, WaybillError
from libs.relay.tail import Tail
from services import roles
from services.directory.application.bootstrap import ADMIN_CLIENT, OWNER
from tests.integration.directory.world import ACME, BOLT, assignment, entry, user
from tests.support.principals import buyer, seller
from waybill.directory.v1 import address_service_pb2 as addresses
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import supplier_service_pb2 as suppliers
from waybill.directory.v1 import user_service_pb2 as users


async def refused(attempt) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def used_by(attempt) -> str:
    error = await refused(attempt)
    assert (error.kind, error.reason) == (Kind.PRECONDITION, "RESOURCE_IN_USE")
    return error.metadata["used_by"]


def buyer_goes(stubs, id="acme"):
    return stubs.buyers.DeleteBuyer(buyers.DeleteBuyerRequest(buyer_id=id))


def supplier_goes(stubs, id="bolt"):
    return stubs.suppliers.DeleteSupplier(suppliers.DeleteSupplierRequest(supplier_id=id))


def user_goes(stubs, id="anna", **more):
    return stubs.users.DeleteUser(users.DeleteUserRequest(user_id=id, **more))


def client_goes(stubs, id):
    return stubs.clients.DeleteApiClient(clients.DeleteApiClientRequest(api_client_id=id))


def address_goes(stubs, id="hq", **more):
    return stubs.addresses.DeleteAddress(addresses.DeleteAddressRequest(party=ACME, address_id=id, **more))


async def furnished(world):
    """A buyer with a user, two addresses, an assignment, and a client that is made for them."""
    await world.companies()
    await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna")))
    book = [entry("hq"), entry("home", user_id="anna")]
    await world.admin.addresses.CreateAddresses(addresses.CreateAddressesRequest(entries=book, request_id="book"))
    given = addresses.AssignAddressesRequest(assignments=[assignment("hq", "anna")])
    await world.admin.addresses.AssignAddresses(given)
    client = clients.ApiClient(id="portal", name="Portal", buyer_ids=["acme"], supplier_ids=["bolt"], default_user_id="anna")
    await world.admin.clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    return world.admin


async def test_whatever_names_a_company_or_a_user_hinders_its_delete(world):
    admin = await furnished(world)
    await admin.users.CreateUser(users.CreateUserRequest(user=user("sven", BOLT)))

    assert await used_by(buyer_goes(admin)) == "user: 1 (anna); address: 2 (home, hq); API client: 1 (portal)"
    assert await used_by(supplier_goes(admin)) == "user: 1 (sven); API client: 1 (portal)"
    assert await used_by(user_goes(admin)) == "address: 1 (home); address assignment: 2 (home, hq); API client: 1 (portal)"


async def test_a_company_is_deleted_once_nothing_names_it(world):
    admin = await furnished(world)

    await client_goes(admin, "portal")
    for id in ("hq", "home"):
        await address_goes(admin, id, etag="1")
    await user_goes(admin, etag="1")
    await buyer_goes(admin)
    await supplier_goes(admin)

    for call in (
        admin.buyers.GetBuyer(buyers.GetBuyerRequest(buyer_id="acme")),
        admin.suppliers.GetSupplier(suppliers.GetSupplierRequest(supplier_id="bolt")),
        admin.users.GetUser(users.GetUserRequest(user_id="anna")),
        admin.clients.GetApiClient(clients.GetApiClientRequest(api_client_id="portal")),
    ):
        assert (await refused(call)).kind is Kind.MISSING


async def test_a_deleted_users_name_is_free_and_its_id_is_not(world):
    await world.companies()
    await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna")))
    await user_goes(world.admin)

    taken = world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna", username="other")))
    assert (await refused(taken)).reason == "ID_OF_DELETED"
    await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna-2", username="anna")))


async def test_who_was_deleted_is_never_somebody_else_and_an_address_may_be_after_thirty_days(world, app):
    await world.companies()
    await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna")))
    await user_goes(world.admin)
    book = addresses.CreateAddressesRequest(entries=[entry("hq")])
    await world.admin.addresses.CreateAddresses(book)
    await address_goes(world.admin)
    (forget,) = [loop for loop in app.background if loop.name == "forget"]
    world.clock.advance(timedelta(days=3_650))
    await forget.once()
    again = world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna", username="other")))
    assert (await refused(again)).reason == "ID_OF_DELETED"
    await world.admin.addresses.CreateAddresses(book)


async def test_a_deleted_address_keeps_its_id_in_its_book_and_a_repeat_of_its_create_is_not_found(world):
    admin = await furnished(world)
    assert (await refused(address_goes(admin, etag="7"))).reason == "ETAG_MISMATCH"
    await address_goes(admin)

    again = addresses.CreateAddressesRequest(entries=[entry("new"), entry("hq")])
    assert (await refused(admin.addresses.CreateAddresses(again))).metadata == {"resource": "address", "id": "hq"}
    book = [entry("hq"), entry("home", user_id="anna")]
    repeated = addresses.CreateAddressesRequest(entries=book, request_id="book")
    assert (await refused(admin.addresses.CreateAddresses(repeated))).kind is Kind.MISSING
    elsewhere = addresses.CreateAddressesRequest(entries=[entry("hq", BOLT)])
    await admin.addresses.CreateAddresses(elsewhere)


async def test_the_owner_and_whoever_calls_stay(world):
    await world.companies()
    await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna", roles=[roles.USER_ADMIN])))
    anna = world.calls(buyer(roles.USER_ADMIN, user="anna"))

    for attempt in (user_goes(world.admin, OWNER), user_goes(anna, "anna"), client_goes(world.admin, ADMIN_CLIENT)):
        error = await refused(attempt)
        assert (error.kind, error.reason) == (Kind.PRECONDITION, "CANNOT_BE_DELETED")
    own = clients.ApiClient(id="back-office", name="Back office")
    await world.admin.clients.CreateApiClient(clients.CreateApiClientRequest(api_client=own))
    assert (await refused(client_goes(world.admin, "back-office"))).metadata == {"resource": "API client", "id": "back-office"}


async def test_who_deletes_a_user_sees_it_and_holds_its_roles(world):
    await world.companies()
    made = [user("anna"), user("chief", roles=[roles.FULL_ACCESS])]
    await world.admin.users.BatchCreateUsers(users.BatchCreateUsersRequest(users=made))
    own, other = buyer(roles.USER_ADMIN, roles.SHOPPER), buyer(roles.USER_ADMIN, party="globex", user="gus")

    assert (await refused(user_goes(world.calls(buyer())))).reason == "ROLE_MISSING"
    for id in ("anna", OWNER):
        assert (await refused(user_goes(world.calls(other), id))).kind is Kind.MISSING
    assert (await refused(user_goes(world.calls(own), "chief"))).reason == "ROLE_NOT_AVAILABLE"
    await user_goes(world.calls(buyer(roles.USER_ADMIN, roles.SHOPPER, user="bea")))


async def test_only_the_sellers_administrators_delete_companies_and_clients(world):
    await world.companies()
    for caller, reason in ((seller(roles.ORDER_ADMIN), "ROLE_MISSING"), (buyer(roles.FULL_ACCESS), "PARTY_NOT_ADMITTED")):
        stubs = world.calls(caller)
        for attempt in (buyer_goes(stubs), supplier_goes(stubs), client_goes(stubs, "shop")):
            assert (await refused(attempt)).reason == reason


async def test_a_user_made_while_its_company_is_deleted_is_never_left_without_one(world):
    made = [buyers.Buyer(id=f"b{i}", name="B", currency="USD") for i in range(8)]
    await world.admin.buyers.BatchCreateBuyers(buyers.BatchCreateBuyersRequest(buyers=made))
    for b in made:
        party = type(ACME)(kind=ACME.kind, id=b.id)
        hire = world.admin.users.CreateUser(users.CreateUserRequest(user=user(f"u-{b.id}", party, password="")))
        found = await asyncio.gather(buyer_goes(world.admin, b.id), hire, return_exceptions=True)
        reasons = [getattr(one, "reason", "") for one in found]
        assert reasons in (["RESOURCE_IN_USE", ""], ["", "PARTY_NOT_FOUND"])


async def test_the_assignments_of_a_deleted_address_end_with_it_each_by_a_change_with_its_last_body(world):
    admin = await furnished(world)
    await world.admin.addresses.AssignAddresses(addresses.AssignAddressesRequest(assignments=[assignment("hq", billing=True)]))
    (feed,) = [app.changes for app in world.served.apps]
    place = await behind(feed, "address assignment", "BUYER:acme/hq//")

    await address_goes(admin, "hq")

    found = await after(feed, place, 3)
    assert [(change.resource, change.resource_id) for change in found] == [
        ("address", "BUYER:acme/hq"),
        ("address assignment", "BUYER:acme/hq//"),
        ("address assignment", "BUYER:acme/hq/anna/"),
    ]
    shared = {"party": "BUYER:acme", "address_id": "hq", "user_group_id": "", "shipping": True}
    assert [change.body for change in found[1:]] == [
        {**shared, "user_id": "", "billing": True},
        {**shared, "user_id": "anna", "billing": False},
    ]


async def test_an_assignment_that_is_taken_back_leaves_its_last_body_in_the_feed(world):
    admin = await furnished(world)
    (feed,) = [app.changes for app in world.served.apps]
    place = await behind(feed, "API client", "portal")

    gone = addresses.UnassignAddressesRequest(assignments=[assignment("hq", "anna"), assignment("hq", "nobody")])
    await admin.addresses.UnassignAddresses(gone)

    (change,) = await after(feed, place, 1)
    assert (change.resource, change.resource_id) == ("address assignment", "BUYER:acme/hq/anna/")
    whose = {"party": "BUYER:acme", "address_id": "hq", "user_id": "anna", "user_group_id": ""}
    assert change.body == {**whose, "shipping": True, "billing": False}


async def behind(feed, resource, id):
    """The place behind a change that has been made, once it may be served: the end of the feed may still lie before it."""
    async with asyncio.timeout(30), aclosing(Tail(feed, 0.01).watch(await feed.oldest(), ())) as news:
        async for place, entry in news:
            if entry is not None and (entry.change.resource, entry.change.resource_id) == (resource, id):
                return place
    raise AssertionError("a watch has no end")


async def after(feed, place, count):
    """So many changes after a place, once they may be served: tests beside this one have transactions open, too."""
    async with asyncio.timeout(30):
        async with aclosing(Tail(feed, 0.01).watch(place, ())) as news:
            found = []
            async for _, entry in news:
                if entry is not None:
                    found.append(entry.change)
                if len(found) == count:
                    return found
    raise AssertionError("a watch has no end")
