"""Users with MeAddressAdmin assign addresses to themselves: their own default addresses."""

from __future__ import annotations

import pytest

from libs.errors import Kind
from services import roles
from tests.integration.directory.test_addresses_of_groups import defaults, listed, of, refused
from tests.integration.directory.world import ACME, GLOBEX, assignment, entry, group, user
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import address_service_pb2 as pb

OWN = roles.ME_ADDRESS_ADMIN


def assigning(stubs, *items, **more):
    return stubs.addresses.AssignAddresses(pb.AssignAddressesRequest(assignments=items, **more))


def unassigning(stubs, *items):
    return stubs.addresses.UnassignAddresses(pb.UnassignAddressesRequest(assignments=items))


def keeping(stubs, *ids):
    return stubs.addresses.CreateAddresses(pb.CreateAddressesRequest(entries=[entry(id, None) for id in ids]))


@pytest.fixture
async def open_book(world):
    """A buyer that restricts nothing: everyone's default is the hq, that of the smiths, of whom anna is one, the dock."""
    await world.companies()
    await world.people(user("anna"), user("bob"), user("gil", GLOBEX))
    await world.groups(group("smiths"))
    await world.join(of("smiths"))
    await world.book(entry("hq"), entry("dock"))
    await world.assign(assignment("hq", billing=True), assignment("dock", group_id="smiths"))
    return world


async def test_own_defaults_beat_those_of_groups_and_company_until_they_are_taken_back(open_book):
    world, anna = open_book, open_book.calls(buyer(OWN))
    await keeping(anna, "home", "office")
    assert await defaults(world) == ("dock", "hq")
    mine = [assignment("home", "anna", None), assignment("office", "anna", None, shipping=False, billing=True)]
    await assigning(anna, *mine, request_id="once")
    assert await defaults(world) == ("home", "office")
    assert await defaults(world, "bob") == ("hq", "hq")
    # Another default takes the place of the one before: an address of the company, which nobody else keeps.
    await assigning(anna, assignment("home", "anna", shipping=False), assignment("hq", "anna"))
    assert await defaults(world) == ("hq", "office")
    await unassigning(anna, assignment("hq", "anna"), assignment("office", "anna"))
    assert await defaults(world) == ("dock", "hq")
    # A repeat of the request that was first changes nothing any more.
    await assigning(anna, *mine, request_id="once")
    assert await defaults(world) == ("dock", "hq")


async def test_nobody_assigns_to_others_nor_what_others_keep(open_book):
    world, anna, bob = open_book, open_book.calls(buyer(OWN)), open_book.calls(buyer(OWN, user="bob"))
    await keeping(bob, "cabin")
    for items in (
        [assignment("hq")],
        [assignment("hq", "bob")],
        [assignment("hq", group_id="smiths")],
        [assignment("hq", "anna"), assignment("hq", "bob")],
    ):
        error = await refused(assigning(anna, *items))
        assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.ADDRESS_ADMIN})
        await unassigning(anna, *items)
    error = await refused(assigning(anna, assignment("cabin", "anna"), assignment("nowhere", "anna"), assignment("hq", "anna")))
    assert [(f.field, f.reason) for f in error.fields] == [
        ("assignments[1].address_id", "ADDRESS_NOT_FOUND"),
        ("assignments[0].address_id", "ADDRESS_NOT_FOUND"),
    ]
    error = await refused(assigning(anna, assignment("villa", "anna", GLOBEX)))
    assert error.kind is Kind.MISSING
    assert await listed(world.admin) == [("cabin", "bob", ""), ("dock", "", "smiths"), ("hq", "", "")]
    # An administrator may, and it makes no default: bob keeps the cabin for himself.
    await world.assign(assignment("cabin", "anna"))
    assert await defaults(world) == ("dock", "hq")


@pytest.mark.parametrize("caller", [buyer(), supplier(OWN), seller(OWN)], ids=["shopper", "supplier", "seller"])
async def test_a_buyers_user_needs_the_role(open_book, caller):
    for call in (assigning, unassigning):
        error = await refused(call(open_book.calls(caller), assignment("hq", caller.user_id, ACME)))
        assert (error.kind, error.reason in ("ROLE_MISSING", "RESOURCE_NOT_FOUND")) in ((Kind.DENIED, True), (Kind.MISSING, True))
    assert ("hq", caller.user_id, "") not in await listed(open_book.admin)


async def test_users_of_a_restricted_buyer_do_not_open_addresses_to_themselves(world):
    await world.companies(True)
    await world.people()
    await world.book(entry("hq"), entry("attic"))
    await world.assign(assignment("hq", "anna"))
    anna = world.calls(buyer(OWN))
    for call in (assigning(anna, assignment("attic", "anna")), unassigning(anna, assignment("hq", "anna"))):
        error = await refused(call)
        assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.ADDRESS_ADMIN})
    assert await listed(world.admin) == [("hq", "anna", "")]
