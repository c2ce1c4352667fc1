"""Roles for the address books of some companies."""

from __future__ import annotations

import pytest

from services import roles
from tests.integration.directory.test_addresses_of_groups import refused
from tests.integration.directory.world import ACME, BOLT, SELLER, assignment, entry
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import address_service_pb2 as pb

OWN, SUPPLIERS = roles.ADMIN_ADDRESS_ADMIN, roles.SUPPLIER_ADDRESS_ADMIN


async def writes(world, caller, party) -> str:
    """Makes, changes, assigns and deletes an address of a book; the reason why not, if all of it is refused."""
    stubs = world.calls(caller).addresses
    made = entry("new", party)
    given = [assignment("new", party=party)]
    calls = (
        lambda: stubs.CreateAddresses(pb.CreateAddressesRequest(entries=[made])),
        lambda: stubs.UpdateAddress(pb.UpdateAddressRequest(entry=entry("new", party, city="Shelbyville"))),
        lambda: stubs.AssignAddresses(pb.AssignAddressesRequest(assignments=given)),
        lambda: stubs.UnassignAddresses(pb.UnassignAddressesRequest(assignments=given)),
        lambda: stubs.DeleteAddress(pb.DeleteAddressRequest(party=party, address_id="new")),
    )
    try:
        await calls[0]()
    except Exception:
        (reason,) = {(await refused(call())).reason for call in calls}
        return reason
    for call in calls[1:]:
        await call()
    return ""


@pytest.mark.parametrize(
    ("caller", "opened"),
    [
        (seller(OWN), {"SELLER"}),
        (seller(SUPPLIERS), {"SUPPLIER"}),
        (seller(OWN, SUPPLIERS), {"SELLER", "SUPPLIER"}),
        (seller(roles.ADDRESS_ADMIN), {"SELLER", "SUPPLIER", "BUYER"}),
        (supplier(SUPPLIERS), {"SUPPLIER"}),
    ],
    ids=["own", "suppliers", "both", "all", "a supplier"],
)
async def test_a_role_opens_the_books_that_it_is_for(world, caller, opened):
    await world.companies()
    heard = {
        kind: await writes(world, caller, party) for kind, party in (("SELLER", SELLER), ("SUPPLIER", BOLT), ("BUYER", ACME))
    }
    assert heard == {kind: "" if kind in opened else "RESOURCE_NOT_FOUND" for kind in heard}


async def test_these_roles_are_nothing_to_those_whom_they_are_not_for(world):
    await world.companies()
    assert await writes(world, supplier(OWN), BOLT) == "ROLE_MISSING"
    assert await writes(world, buyer(OWN, SUPPLIERS), ACME) == "ROLE_MISSING"
