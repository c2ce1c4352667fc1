import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.directory.world import ACME, BOLT, GLOBEX, SELLER, address, assignment, entry, user
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import address_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2 as contexts
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party

ADMIN, OWN = roles.ADDRESS_ADMIN, roles.ME_ADDRESS_ADMIN


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def noted(error):
    return sorted((f.field, f.reason) for f in error.fields)


def create(*entries, request_id=""):
    return pb.CreateAddressesRequest(entries=entries, request_id=request_id)


async def ids(stubs, party=ACME, **more):
    page = await stubs.addresses.ListAddresses(pb.ListAddressesRequest(party=party, order_by="id", **more))
    return [e.address.id for e in page.entries]


async def assigned(stubs, party=ACME, **more):
    page = await stubs.addresses.ListAddressAssignments(pb.ListAddressAssignmentsRequest(party=party, **more))
    return [(a.address_id, a.user_id, a.shipping, a.billing) for a in page.assignments]


async def test_an_address_is_read_as_it_was_written(world):
    await world.companies()
    names = {"label": "Headquarters", "company_name": "Acme", "first_name": "Anna", "last_name": "Lee", "recipient": "Anna"}
    wanted = entry("hq", region="CA", postal_code="90210", phone="1", **names)
    wanted.xp.update({"gate": 4})
    (made,) = (await world.admin.addresses.CreateAddresses(create(wanted))).entries
    assert (made.address, made.party, made.xp, made.etag) == (wanted.address, ACME, wanted.xp, "1")
    found = await world.admin.addresses.BatchGetAddresses(
        pb.BatchGetAddressesRequest(party=ACME, address_ids=["hq", "nowhere", "hq"])
    )
    assert (list(found.entries), list(found.missing_address_ids)) == ([made], ["nowhere"])
    (own,) = (await world.calls(supplier(ADMIN)).addresses.CreateAddresses(create(entry(party=None)))).entries
    assert (own.party, own.address.id[:4]) == (BOLT, "adr_")


async def test_everything_wrong_with_addresses_is_reported_at_once_and_nothing_is_stored(world):
    await world.companies()
    await world.people()
    error = await refused(
        world.admin.addresses.CreateAddresses(
            create(
                entry("a", city=""),
                entry("b", country="usa"),
                entry("bad id"),
                entry("c"),
                entry("c"),
                entry("d", Party(kind=PARTY_KIND_BUYER, id="nowhere")),
                entry("e", Party(id="acme")),
                entry("f", ACME, "gil"),
                entry("g", recipient="x\0"),
                entry("h", ACME, "an\0na"),
                entry("c", GLOBEX),
                entry("i\0"),
                entry("j", Party(kind=PARTY_KIND_BUYER, id="ac\0me")),
                request_id="r1",
            )
        )
    )
    assert noted(error) == [
        ("entries[0].address.city", "FIELD_REQUIRED"),
        ("entries[11].address.id", "ID_INVALID"),
        ("entries[12].party", "PARTY_NOT_FOUND"),
        ("entries[12].party.id", "ID_INVALID"),
        ("entries[1].address.country", "FIELD_INVALID"),
        ("entries[2].address.id", "ID_INVALID"),
        ("entries[4].address.id", "DUPLICATE_ITEM"),
        ("entries[5].party", "PARTY_NOT_FOUND"),
        ("entries[6].party.kind", "FIELD_REQUIRED"),
        ("entries[7].user_id", "USER_NOT_FOUND"),
        ("entries[8].address.recipient", "FIELD_INVALID"),
        ("entries[9].user_id", "ID_INVALID"),
        ("entries[9].user_id", "USER_NOT_FOUND"),
    ]
    assert noted(await refused(world.admin.addresses.CreateAddresses(create()))) == [("entries", "FIELD_REQUIRED")]
    many = create(*(entry() for _ in range(1_001)))
    assert noted(await refused(world.admin.addresses.CreateAddresses(many))) == [("entries", "TOO_MANY_ITEMS")]
    assert await ids(world.admin) == []


async def test_an_id_is_unique_in_its_book_only(world):
    await world.companies()
    await world.book(entry("hq"), entry("hq", GLOBEX))
    error = await refused(world.admin.addresses.CreateAddresses(create(entry("new"), entry("hq"))))
    assert (error.kind, error.metadata) == (Kind.EXISTS, {"resource": "address", "id": "hq"})
    assert await ids(world.admin) == ["hq"]


async def test_an_update_replaces_the_address_and_merges_xp(world):
    await world.companies()
    made = entry("hq", company_name="Acme")
    made.xp.update({"gate": 4, "dock": {"a": 1, "b": 2}})
    await world.book(made)
    change = pb.UpdateAddressRequest(
        entry=pb.AddressEntry(party=ACME, address=address("hq", city="Shelbyville"), etag="1"), request_id="r1"
    )
    change.entry.xp.update({"gate": None, "dock": {"b": 3}})
    for _ in range(2):
        got = (await world.admin.addresses.UpdateAddress(change)).entry
        assert (got.address.city, got.address.company_name, got.etag) == ("Shelbyville", "", "2")
        assert {k: dict(v) if hasattr(v, "fields") else v for k, v in got.xp.items()} == {"dock": {"a": 1, "b": 3}}
    change.request_id = ""
    error = await refused(world.admin.addresses.UpdateAddress(change))
    assert (error.reason, error.metadata["etag"]) == ("ETAG_MISMATCH", "2")
    only_xp = pb.UpdateAddressRequest(entry=pb.AddressEntry(party=ACME, address={"id": "hq"}))
    only_xp.entry.xp.update({"new": True})
    assert (await world.admin.addresses.UpdateAddress(only_xp)).entry.address.city == "Shelbyville"
    for paths, wrong in (
        (["address"], [("entry.address.city", "FIELD_REQUIRED"), ("entry.address.country", "FIELD_REQUIRED")]),
        (["address.city", "xp"], [("update_mask.paths[0]", "FIELD_INVALID")]),
        (["user_id"], [("update_mask.paths[0]", "FIELD_INVALID")]),
    ):
        only_xp.update_mask.CopyFrom(FieldMask(paths=paths))
        assert noted(await refused(world.admin.addresses.UpdateAddress(only_xp))) == wrong


async def test_an_xp_that_grows_too_large_by_merging_is_refused(world):
    await world.companies()
    made = entry("hq")
    made.xp.update({"a": "x" * 5_000})
    await world.book(made)
    change = pb.UpdateAddressRequest(entry=pb.AddressEntry(party=ACME, address={"id": "hq"}))
    change.entry.xp.update({"b": "x" * 5_000})
    assert noted(await refused(world.admin.addresses.UpdateAddress(change))) == [("entry.xp", "XP_TOO_LARGE")]


async def test_a_deleted_address_takes_its_assignments_along(world):
    await world.companies()
    await world.book(entry("hq"), entry("dock"))
    await world.assign(assignment("hq"), assignment("dock"))
    request = pb.DeleteAddressRequest(party=ACME, address_id="hq", request_id="r1")
    await world.admin.addresses.DeleteAddress(request)
    await world.admin.addresses.DeleteAddress(request)
    assert await ids(world.admin) == ["dock"]
    assert await assigned(world.admin) == [("dock", "", True, False)]
    request.request_id = "r2"
    assert (await refused(world.admin.addresses.DeleteAddress(request))).kind is Kind.MISSING


async def test_assignments_are_replaced_taken_back_and_listed(world):
    await world.companies()
    await world.people()
    await world.book(entry("hq"), entry("dock"))
    await world.assign(assignment("hq"), assignment("hq", "anna"), assignment("dock", "bob", billing=True))
    await world.assign(assignment("hq", shipping=False, billing=True))
    everything = [("dock", "bob", True, True), ("hq", "", False, True), ("hq", "anna", True, False)]
    assert await assigned(world.admin) == everything
    assert await assigned(world.calls(buyer(ADMIN))) == everything
    assert await assigned(world.calls(buyer())) == everything[1:]
    assert await assigned(world.admin, filter='user_id = "anna"') == everything[2:]
    first = await world.admin.addresses.ListAddressAssignments(pb.ListAddressAssignmentsRequest(party=ACME, page_size=2))
    assert await assigned(world.admin, page_size=2, page_token=first.next_page_token) == everything[2:]
    gone = pb.UnassignAddressesRequest(assignments=[assignment("hq"), assignment("hq", "bob")], request_id="r1")
    await world.admin.addresses.UnassignAddresses(gone)
    assert await assigned(world.admin) == [everything[0], everything[2]]
    await world.assign(assignment("hq"))
    await world.admin.addresses.UnassignAddresses(gone)
    assert len(await assigned(world.admin)) == 3


async def test_an_assignment_names_an_address_and_a_user_of_the_company(world):
    await world.companies()
    await world.people()
    await world.book(entry("hq"), entry("villa", GLOBEX))
    error = await refused(
        world.assign(
            assignment("hq"),
            assignment("villa"),
            assignment("hq", "gil"),
            assignment(""),
            assignment("hq"),
            assignment("h\0q"),
            assignment("hq", party=Party(kind=PARTY_KIND_BUYER, id="ac\0me")),
        )
    )
    assert noted(error) == [
        ("assignments[1].address_id", "ADDRESS_NOT_FOUND"),
        ("assignments[2].user_id", "USER_NOT_FOUND"),
        ("assignments[3].address_id", "FIELD_REQUIRED"),
        ("assignments[4]", "DUPLICATE_ITEM"),
        ("assignments[5].address_id", "ADDRESS_NOT_FOUND"),
        ("assignments[5].address_id", "ID_INVALID"),
        ("assignments[6].address_id", "ADDRESS_NOT_FOUND"),
        ("assignments[6].party.id", "ID_INVALID"),
    ]
    assert await assigned(world.admin) == []


async def test_a_foreign_book_is_not_found(world):
    await world.companies()
    await world.book(entry("hq"), entry("villa", GLOBEX), entry("dock", SELLER))
    for caller in (buyer(ADMIN, OWN), supplier(ADMIN)):
        stubs = world.calls(caller).addresses
        for party in (GLOBEX, SELLER, Party(kind=PARTY_KIND_BUYER, id="nobody")):
            for call in (
                stubs.BatchGetAddresses(pb.BatchGetAddressesRequest(party=party)),
                stubs.ListAddresses(pb.ListAddressesRequest(party=party)),
                stubs.ListAddressAssignments(pb.ListAddressAssignmentsRequest(party=party)),
                stubs.CreateAddresses(create(entry("x", party))),
                stubs.UpdateAddress(pb.UpdateAddressRequest(entry=entry("villa", party))),
                stubs.DeleteAddress(pb.DeleteAddressRequest(party=party, address_id="villa")),
                stubs.AssignAddresses(pb.AssignAddressesRequest(assignments=[assignment("villa", party=party)])),
                stubs.UnassignAddresses(pb.UnassignAddressesRequest(assignments=[assignment("villa", party=party)])),
            ):
                assert (await refused(call)).kind is Kind.MISSING
    assert await ids(world.calls(seller(roles.SHOPPER)), GLOBEX) == ["villa"]
    for call in (
        world.calls(buyer()).addresses.CreateAddresses(create(entry("x"))),
        world.calls(supplier(OWN)).addresses.CreateAddresses(create(entry("x", None))),
        world.calls(seller(roles.SHOPPER)).addresses.DeleteAddress(pb.DeleteAddressRequest(party=ACME, address_id="hq")),
        world.calls(buyer(OWN)).addresses.AssignAddresses(pb.AssignAddressesRequest(assignments=[assignment("hq")])),
    ):
        assert (await refused(call)).metadata == {"role": ADMIN}


async def test_users_keep_own_addresses_of_an_unrestricted_buyer(world):
    await world.companies()
    await world.people()
    await world.book(entry("hq"))
    anna, bob = world.calls(buyer(OWN)), world.calls(buyer(OWN, user="bob"))
    (home,) = (await anna.addresses.CreateAddresses(create(entry("home", None, "bob")))).entries
    assert (home.user_id, home.party) == ("anna", ACME)
    assert await assigned(anna) == [("home", "anna", False, False)]
    moved = pb.UpdateAddressRequest(entry=entry("home", city="Shelbyville"))
    assert (await anna.addresses.UpdateAddress(moved)).entry.address.city == "Shelbyville"
    for stubs, id in ((bob, "home"), (anna, "hq")):
        change = pb.UpdateAddressRequest(entry=entry(id))
        assert (await refused(stubs.addresses.UpdateAddress(change))).kind is Kind.MISSING
        gone = pb.DeleteAddressRequest(address_id=id)
        assert (await refused(stubs.addresses.DeleteAddress(gone))).kind is Kind.MISSING
    await anna.addresses.DeleteAddress(pb.DeleteAddressRequest(address_id="home"))
    assert await ids(world.admin) == ["hq"]


@pytest.mark.parametrize("restricted", [False, True])
async def test_what_a_user_keeps_is_there_for_itself_and_for_who_reads_the_whole_book(world, restricted):
    await world.companies(restricted)
    await world.people()
    await world.book(entry("hq"), entry("home", ACME, "bob"))
    await world.assign(assignment("hq"), assignment("home", "bob"), assignment("home", "anna"))
    got = pb.BatchGetAddressesRequest(party=ACME, address_ids=["home", "hq"])
    whole, kept = ["home", "hq"], ["hq"]
    for caller, seen in (
        (buyer(OWN), kept),
        (buyer(OWN, user="bob"), whole),
        (buyer(roles.ADDRESS_READER), whole),
        (buyer(ADMIN), whole),
        (seller(roles.SHOPPER, user="odd"), kept),
        (seller(roles.ADMIN_ADDRESS_ADMIN, roles.SUPPLIER_ADDRESS_ADMIN, user="odd"), kept),
        (seller(roles.ADDRESS_READER, user="odd"), whole),
    ):
        stubs = world.calls(caller)
        assert await ids(stubs) == seen
        found = await stubs.addresses.BatchGetAddresses(got)
        assert [e.address.id for e in found.entries] == seen
        assert list(found.missing_address_ids) == [id for id in whole if id not in seen]
    # An assignment to somebody else names nothing that it may see, and makes no default of it.
    assert {id for id, *_ in await assigned(world.calls(buyer()))} == {"hq"}
    ordering = await world.contexts.GetOrderingContext(
        contexts.GetOrderingContextRequest(buyer_id="acme", user_id="anna", address_ids=["home", "hq"])
    )
    assert [u.address.id for u in ordering.addresses] == ["hq"]
    assert list(ordering.missing_address_ids) == ["home"]
    assert ordering.default_shipping_address.id == "hq"


async def test_users_of_a_restricted_buyer_see_and_write_no_own_addresses(world):
    await world.companies(restricted=True)
    await world.people()
    await world.book(entry("hq"), entry("dock"), entry("attic"), entry("home", ACME, "anna"))
    await world.assign(assignment("hq"), assignment("dock", "anna"), assignment("attic", "bob"))
    anna = world.calls(buyer(OWN))
    error = await refused(anna.addresses.CreateAddresses(create(entry("new", None))))
    assert error.metadata == {"role": ADMIN}
    for call in (
        anna.addresses.UpdateAddress(pb.UpdateAddressRequest(entry=entry("home"))),
        anna.addresses.DeleteAddress(pb.DeleteAddressRequest(address_id="home")),
    ):
        assert (await refused(call)).metadata == {"role": ADMIN}
    assert await ids(anna) == ["dock", "home", "hq"]
    found = await anna.addresses.BatchGetAddresses(pb.BatchGetAddressesRequest(address_ids=["attic", "hq"]))
    assert ([e.address.id for e in found.entries], list(found.missing_address_ids)) == (["hq"], ["attic"])
    assert await ids(world.calls(buyer(ADMIN))) == ["attic", "dock", "home", "hq"]


async def test_the_same_request_id_creates_addresses_once(world):
    await world.companies()
    request = create(entry(""), entry("hq"), request_id="r1")
    made = await asyncio.gather(*(world.admin.addresses.CreateAddresses(request) for _ in range(4)))
    assert all(answer == made[0] for answer in made)
    assert len(await ids(world.admin)) == 2
    request.entries[1].address.city = "Elsewhere"
    assert (await refused(world.admin.addresses.CreateAddresses(request))).reason == "REQUEST_ID_REUSED"


async def test_a_book_is_paged_and_a_token_is_bound_to_it(world):
    await world.companies()
    await world.people(user("anna"))
    made = [entry(f"a{i:02}", ACME, "anna" if i % 2 else "") for i in range(25)]
    await world.book(*made)
    page = await world.admin.addresses.ListAddresses(
        pb.ListAddressesRequest(party=ACME, page_size=10, order_by="id", filter='user_id = "anna"')
    )
    assert [e.address.id for e in page.entries] == [f"a{i:02}" for i in range(1, 20, 2)]
    rest = await ids(world.admin, page_size=10, page_token=page.next_page_token, filter='user_id = "anna"')
    assert rest == ["a21", "a23"]
    other = pb.ListAddressesRequest(
        party=GLOBEX, page_size=10, order_by="id", filter='user_id = "anna"', page_token=page.next_page_token
    )
    assert (await refused(world.admin.addresses.ListAddresses(other))).reason == "PAGE_TOKEN_INVALID"


async def test_the_number_of_statements_does_not_grow_with_the_batch(world):
    await world.companies()

    async def counted(count, prefix):
        before = world.served.statements
        await world.book(*(entry(f"{prefix}{i}") for i in range(count)))
        await world.assign(*(assignment(f"{prefix}{i}") for i in range(count)))
        return world.served.statements - before

    assert await counted(1, "a") == await counted(1_000, "b")
