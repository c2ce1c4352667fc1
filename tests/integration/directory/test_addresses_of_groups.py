"""Addresses that are assigned to groups of users."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.directory.world import ACME, GLOBEX, assignment, entry, group, user
from tests.support.principals import buyer
from waybill.directory.v1 import address_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2 as contexts
from waybill.directory.v1 import user_group_service_pb2 as groups


def of(group_id, user_id="anna"):
    return groups.UserGroupMember(user_group_id=group_id, user_id=user_id)


@pytest.fixture
async def restricted(world):
    """A restricted buyer whose smiths, of whom anna is one, may use the dock, and whose everyone may use the hq."""
    await world.companies(True)
    await world.people(user("anna"), user("bob"), user("gil", GLOBEX))
    await world.groups(group("smiths"), group("managers"), group("others", GLOBEX))
    await world.join(of("smiths"))
    await world.book(entry("hq"), entry("dock"), entry("attic"), entry("hq", GLOBEX))
    await world.assign(
        assignment("hq", billing=True), assignment("dock", group_id="smiths"), assignment("attic", group_id="managers")
    )
    return world


async def ordering(world, user_id="anna", addresses=("hq", "dock", "attic")):
    asked = contexts.GetOrderingContextRequest(buyer_id="acme", user_id=user_id, client_id="shop", address_ids=addresses)
    return await world.contexts.GetOrderingContext(asked)


async def defaults(world, user_id="anna"):
    found = await ordering(world, user_id)
    return found.default_shipping_address.id, found.default_billing_address.id


async def listed(stubs, **more):
    page = await stubs.addresses.ListAddressAssignments(pb.ListAddressAssignmentsRequest(party=ACME, **more))
    return [(a.address_id, a.user_id, a.user_group_id) for a in page.assignments]


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def test_the_default_is_the_users_then_of_its_groups_then_of_the_company(restricted):
    world = restricted
    assert await defaults(world) == ("dock", "hq")
    assert await defaults(world, "bob") == ("hq", "hq")
    await world.join(of("managers"))
    assert await defaults(world) == ("", "hq")
    await world.assign(assignment("hq", "anna"))
    assert await defaults(world) == ("hq", "hq")


async def test_users_of_a_restricted_buyer_use_and_see_what_is_assigned_to_their_groups(restricted):
    world = restricted

    async def seen(name):
        stubs = world.calls(buyer(user=name))
        page = await stubs.addresses.ListAddresses(pb.ListAddressesRequest(order_by="id"))
        return [e.address.id for e in page.entries], await listed(stubs)

    whole_company = ("hq", "", "")
    assert await seen("anna") == (["dock", "hq"], [("dock", "", "smiths"), whole_company])
    assert await seen("bob") == (["hq"], [whole_company])
    assert [u.address.id for u in (await ordering(world)).addresses] == ["hq", "dock"]
    assert [u.address.id for u in (await ordering(world, "bob")).addresses] == ["hq"]
    await world.leave(of("smiths"))
    assert [u.address.id for u in (await ordering(world)).addresses] == ["hq"]


async def test_an_order_asks_as_many_statements_however_many_groups_and_addresses(restricted):
    world = restricted

    async def statements():
        before = world.served.statements
        await ordering(world)
        return world.served.statements - before

    # The first call reads the seller too, who never changes.
    await ordering(world)
    few = await statements()
    ids = [f"g{i}" for i in range(200)]
    await world.groups(*(group(id) for id in ids))
    await world.join(*(of(id) for id in ids))
    await world.assign(*(assignment("attic", group_id=id) for id in ids))
    assert await statements() == few
    assert await defaults(world) == ("", "hq")


async def test_an_assignment_names_a_group_of_the_company_and_no_user_beside_it(restricted):
    error = await refused(
        restricted.assign(
            assignment("hq", group_id="others"),
            assignment("hq", group_id="nobody"),
            assignment("hq", "anna", group_id="smiths"),
            assignment("attic", group_id="smiths"),
            assignment("attic", group_id="smiths"),
            assignment("dock", group_id="a b"),
        )
    )
    assert sorted((f.field, f.reason) for f in error.fields) == [
        ("assignments[0].user_group_id", "USER_GROUP_NOT_FOUND"),
        ("assignments[1].user_group_id", "USER_GROUP_NOT_FOUND"),
        ("assignments[2].user_group_id", "FIELD_INVALID"),
        ("assignments[4]", "DUPLICATE_ITEM"),
        ("assignments[5].user_group_id", "ID_INVALID"),
        ("assignments[5].user_group_id", "USER_GROUP_NOT_FOUND"),
    ]


async def test_assignments_to_groups_are_listed_ended_and_keep_their_group(restricted):
    world = restricted
    await world.leave(of("smiths"))
    assert await listed(world.admin, filter='user_group_id = "smiths"') == [("dock", "", "smiths")]
    deleting = groups.DeleteUserGroupRequest(user_group_id="smiths")
    error = await refused(world.admin.groups.DeleteUserGroup(deleting))
    assert (error.reason, error.metadata["used_by"]) == ("RESOURCE_IN_USE", "address assignment: 1 (dock)")
    gone = pb.UnassignAddressesRequest(assignments=[assignment("dock", group_id="smiths"), assignment("attic")])
    await world.admin.addresses.UnassignAddresses(gone)
    assert await listed(world.admin) == [("attic", "", "managers"), ("hq", "", "")]
    await world.admin.groups.DeleteUserGroup(deleting)


async def test_a_reader_of_addresses_reads_the_whole_book_of_a_restricted_buyer_and_writes_nothing(restricted):
    reader = restricted.calls(buyer(roles.ADDRESS_READER, user="bob"))
    page = await reader.addresses.ListAddresses(pb.ListAddressesRequest(order_by="id"))
    assert [found.address.id for found in page.entries] == ["attic", "dock", "hq"]
    assert len(await listed(reader)) == 3
    for call in (
        reader.addresses.CreateAddresses(pb.CreateAddressesRequest(entries=[entry("x")])),
        reader.addresses.DeleteAddress(pb.DeleteAddressRequest(address_id="hq")),
        reader.addresses.AssignAddresses(pb.AssignAddressesRequest(assignments=[assignment("attic", "bob")])),
    ):
        error = await refused(call)
        assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.ADDRESS_ADMIN})
