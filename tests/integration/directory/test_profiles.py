"""Security profiles: what they give, to whom, and who may give them."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.directory.test_deletes import used_by
from tests.integration.directory.test_tokens import by_password, by_secret, verifier
from tests.integration.directory.world import ACME, BOLT, GLOBEX, PASSWORD, given, group, member, profile, user
from tests.support.principals import buyer, seller
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import security_profile_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2 as users
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party

SHOP, READ, ME, FULL = roles.SHOPPER, roles.ORDER_READER, roles.ME_ADDRESS_ADMIN, roles.FULL_ACCESS
ADMIN = roles.SECURITY_PROFILE_ADMIN


async def refused(attempt) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def violations(error: WaybillError) -> list[tuple[str, str]]:
    return [(found.field, found.reason) for found in error.fields]


def making(stubs, *made, **more):
    return stubs.profiles.BatchCreateSecurityProfiles(pb.BatchCreateSecurityProfilesRequest(security_profiles=made, **more))


def giving(stubs, *items, **more):
    return stubs.profiles.AssignSecurityProfiles(pb.AssignSecurityProfilesRequest(assignments=items, **more))


def taking(stubs, *items, **more):
    return stubs.profiles.UnassignSecurityProfiles(pb.UnassignSecurityProfilesRequest(assignments=items, **more))


def changing(stubs, id, *held, **more):
    request = pb.UpdateSecurityProfileRequest(security_profile=profile(id, *held, **more), update_mask=FieldMask(paths=["roles"]))
    return stubs.profiles.UpdateSecurityProfile(request)


async def signed_in(world, name="anna", client="shop"):
    answer = await world.tokens.IssueToken(by_password(client, name=name))
    return await verifier(world).verify(answer.access_token)


async def furnished(world):
    await world.companies()
    await world.people()
    await world.client()
    await world.groups(group("buyers"), group("others", GLOBEX))
    await world.profiles(profile("readers", READ), profile("keepers", ME, READ), profile("everything", FULL))
    return world.admin


async def test_a_profile_is_made_changed_listed_and_deleted(world):
    admin = await furnished(world)
    made = await making(admin, profile("", READ, name="Nameless"), request_id="r")
    assert await making(admin, profile("", READ, name="Nameless"), request_id="r") == made
    assert made.security_profiles[0].id.startswith("spr")
    changed = (await changing(admin, "readers", READ, SHOP, etag="1")).security_profile
    assert (list(changed.roles), changed.name, changed.etag) == ([READ, SHOP], "readers", "2")
    page = await admin.profiles.ListSecurityProfiles(pb.ListSecurityProfilesRequest(filter='id = "re*"', include_total=True))
    assert ([one.id for one in page.security_profiles], page.total_size) == (["readers"], 1)
    await giving(admin, given("readers", user_id="anna"), given("readers", user_group_id="buyers"), given("readers", party=ACME))
    going = pb.DeleteSecurityProfileRequest(security_profile_id="readers")
    used = await used_by(admin.profiles.DeleteSecurityProfile(going))
    assert used.startswith("security profile assignment: 3 (")
    assert {"BUYER:acme", "anna", "buyers"} == set(used.partition("(")[2].rstrip(")").split(", "))
    await taking(admin, given("readers", user_id="anna"), given("readers", user_group_id="buyers"), given("readers", party=ACME))
    await admin.profiles.DeleteSecurityProfile(going)
    missing = await refused(admin.profiles.GetSecurityProfile(pb.GetSecurityProfileRequest(security_profile_id="readers")))
    assert missing.kind is Kind.MISSING
    assert (await refused(making(admin, profile("readers")))).reason == "ID_OF_DELETED"


async def test_what_is_wrong_with_profiles_and_assignments_is_named_at_once(world):
    admin = await furnished(world)
    wrong = [profile("readers"), profile("x", "Emperor", READ, READ, name="")]
    assert violations(await refused(making(admin, *wrong))) == [
        ("security_profiles[1].name", "FIELD_REQUIRED"),
        ("security_profiles[1].roles[0]", "ROLE_NOT_AVAILABLE"),
        ("security_profiles[1].roles[2]", "DUPLICATE_ITEM"),
        ("security_profiles[0].id", "RESOURCE_EXISTS"),
    ]
    items = [
        given("readers"),
        given("", user_id="anna"),
        given("nothing", user_id="nobody"),
        given("readers", user_group_id="moon"),
        given("keepers", party=Party(id="acme")),
        given("readers", party=Party(kind=PARTY_KIND_BUYER, id="moon")),
        given("everything", party=Party(kind=PARTY_KIND_BUYER)),
        given("readers", user_id="anna"),
        given("readers", user_id="anna"),
    ]
    assert violations(await refused(giving(admin, *items))) == [
        ("assignments[0].assignee", "FIELD_REQUIRED"),
        ("assignments[1].security_profile_id", "FIELD_REQUIRED"),
        ("assignments[4].party.kind", "FIELD_REQUIRED"),
        ("assignments[6].party.id", "FIELD_REQUIRED"),
        ("assignments[8]", "DUPLICATE_ITEM"),
        ("assignments[2].security_profile_id", "SECURITY_PROFILE_NOT_FOUND"),
        ("assignments[2].user_id", "USER_NOT_FOUND"),
        ("assignments[3].user_group_id", "USER_GROUP_NOT_FOUND"),
        ("assignments[5].party", "PARTY_NOT_FOUND"),
    ]
    assert violations(await refused(giving(admin))) == [("assignments", "FIELD_REQUIRED")]
    listing = await admin.profiles.ListSecurityProfileAssignments(pb.ListSecurityProfileAssignmentsRequest())
    assert not listing.assignments


async def test_assignments_are_listed_as_they_were_given_filtered_and_paged(world):
    admin = await furnished(world)
    items = [given("keepers", party=ACME), given("readers", user_group_id="buyers"), given("readers", user_id="anna")]
    await giving(admin, *items, request_id="r")
    await giving(admin, *items, request_id="r")
    await giving(admin, items[0], given("keepers", party=BOLT))

    async def listed(**more):
        answer = await admin.profiles.ListSecurityProfileAssignments(pb.ListSecurityProfileAssignmentsRequest(**more))
        return list(answer.assignments), answer.next_page_token

    everything, _ = await listed()
    assert everything == [items[0], given("keepers", party=BOLT), items[2], items[1]]
    assert (await listed(filter='user_group_id = "buyers"'))[0] == [items[1]]
    assert (await listed(filter='party = "BUYER:acme"'))[0] == [items[0]]
    assert (await listed(filter='security_profile_id = "readers" AND user_id != ""'))[0] == [items[2]]
    first, token = await listed(page_size=3)
    assert first + (await listed(page_token=token))[0] == everything


async def test_profiles_are_the_sellers_alone_with_their_roles(world):
    await furnished(world)
    reader = world.calls(seller(roles.SECURITY_PROFILE_READER))
    request = pb.ListSecurityProfileAssignmentsRequest()
    assert len((await reader.profiles.ListSecurityProfiles(pb.ListSecurityProfilesRequest())).security_profiles) == 3
    assert not (await reader.profiles.ListSecurityProfileAssignments(request)).assignments
    outsider = world.calls(buyer(FULL))
    for stubs in (reader, outsider, world.calls(seller(SHOP))):
        for attempt in (
            making(stubs, profile("x")),
            changing(stubs, "readers"),
            giving(stubs, given("readers", user_id="anna")),
            taking(stubs, given("readers", user_id="anna")),
            stubs.profiles.DeleteSecurityProfile(pb.DeleteSecurityProfileRequest(security_profile_id="readers")),
        ):
            error = await refused(attempt)
            assert error.reason == ("PARTY_NOT_ADMITTED" if stubs is outsider else "ROLE_MISSING")
            assert error.metadata.get("role", ADMIN) == ADMIN
    for stubs in (outsider, world.calls(seller(SHOP))):
        for attempt in (
            stubs.profiles.GetSecurityProfile(pb.GetSecurityProfileRequest(security_profile_id="readers")),
            stubs.profiles.ListSecurityProfiles(pb.ListSecurityProfilesRequest()),
            stubs.profiles.ListSecurityProfileAssignments(request),
        ):
            error = await refused(attempt)
            assert error.reason == ("PARTY_NOT_ADMITTED" if stubs is outsider else "ROLE_MISSING")
            assert error.metadata.get("role", roles.SECURITY_PROFILE_READER) == roles.SECURITY_PROFILE_READER


async def test_nobody_hands_out_by_a_profile_what_it_does_not_hold(world):
    await furnished(world)
    some = world.calls(seller(ADMIN, READ))
    assert violations(await refused(making(some, profile("x", READ, SHOP)))) == [
        ("security_profiles[0].roles[1]", "ROLE_NOT_AVAILABLE")
    ]
    assert violations(await refused(changing(some, "readers", READ, SHOP))) == [
        ("security_profile.roles[1]", "ROLE_NOT_AVAILABLE")
    ]
    assert violations(await refused(changing(some, "keepers", READ))) == [("security_profile.id", "ROLE_NOT_AVAILABLE")]
    for assignee in ({"user_id": "anna"}, {"user_group_id": "buyers"}, {"party": ACME}):
        assert violations(await refused(giving(some, given("everything", **assignee)))) == [
            ("assignments[0].security_profile_id", "ROLE_NOT_AVAILABLE")
        ]
    await making(some, profile("own", READ))
    await changing(some, "own")
    await giving(some, given("readers", user_id="anna"))
    renamed = pb.UpdateSecurityProfileRequest(security_profile=pb.SecurityProfile(id="everything", name="All"))
    await some.profiles.UpdateSecurityProfile(renamed)
    await giving(world.admin, given("everything", user_id="bob"))
    await taking(some, given("everything", user_id="bob"))


async def test_a_user_holds_its_own_roles_and_those_of_its_company_its_groups_and_itself(world):
    admin = await furnished(world)
    await world.profiles(profile("cards", roles.ME_CREDIT_CARD_ADMIN), profile("orders", roles.ORDER_ADMIN))
    await world.join(member("buyers", "anna"))
    await giving(admin, given("readers", party=ACME), given("keepers", user_group_id="buyers"), given("cards", user_id="anna"))
    await giving(admin, given("orders", user_group_id="others"), given("orders", user_id="gil"), given("orders", party=BOLT))
    anna, bob, gil = await signed_in(world), await signed_in(world, "bob"), await signed_in(world, "gil")
    assert (anna.roles, anna.groups) == ({SHOP, READ, ME, roles.ME_CREDIT_CARD_ADMIN}, {"buyers"})
    assert (bob.roles, bob.groups) == ({SHOP, READ}, frozenset())
    assert gil.roles == {SHOP, roles.ORDER_ADMIN}

    await changing(admin, "keepers", roles.ADDRESS_ADMIN)
    await taking(admin, given("readers", party=ACME), given("cards", user_id="anna"))
    assert (await signed_in(world)).roles == {SHOP, roles.ADDRESS_ADMIN}
    await world.leave(member("buyers", "anna"))
    anna = await signed_in(world)
    assert (anna.roles, anna.groups) == ({SHOP}, frozenset())


async def test_a_clients_limits_hold_for_roles_of_profiles_too(world):
    admin = await furnished(world)
    await world.client("limited", roles=[SHOP, ME], minimum_roles=[READ])
    assert (await refused(signed_in(world, client="limited"))).metadata == {"role": READ}
    await giving(admin, given("keepers", user_id="anna"))
    assert (await signed_in(world, client="limited")).roles == {SHOP, ME}
    wrong = clients.ApiClient(id="x", name="x", minimum_roles=["Emperor"])
    error = await refused(admin.clients.CreateApiClient(clients.CreateApiClientRequest(api_client=wrong)))
    assert violations(error) == [("api_client.minimum_roles[0]", "ROLE_NOT_AVAILABLE")]


async def test_a_sign_in_takes_as_many_statements_in_a_thousand_groups_as_in_one(world):
    admin = await furnished(world)
    await giving(admin, given("keepers", user_group_id="buyers"))
    await world.join(member("buyers", "anna"))
    (app,) = world.served.apps

    async def statements():
        before = app.statements()
        assert READ in (await signed_in(world)).roles
        return app.statements() - before

    # The first one fetches the key to sign with, too.
    await statements()
    few = await statements()
    await world.groups(*(group(f"g{i}") for i in range(1_000)))
    await world.join(*(member(f"g{i}", "anna") for i in range(1_000)))
    await giving(admin, *(given("readers", user_group_id=f"g{i}") for i in range(1_000)))
    assert await statements() == few
    assert (await signed_in(world)).groups is None


async def test_who_commands_another_holds_what_profiles_give_it_too(world):
    admin = await furnished(world)
    await giving(admin, given("everything", user_id="bob"))
    chief = world.calls(buyer(roles.USER_ADMIN, SHOP))
    password = users.SetPasswordRequest(user_id="bob", password=PASSWORD)
    assert violations(await refused(chief.users.SetPassword(password))) == [("user_id", "ROLE_NOT_AVAILABLE")]
    changed = users.UpdateUserRequest(user=users.User(id="bob", password=PASSWORD))
    assert violations(await refused(chief.users.UpdateUser(changed))) == [("user.id", "ROLE_NOT_AVAILABLE")]
    gone = users.DeleteUserRequest(user_id="bob")
    assert violations(await refused(chief.users.DeleteUser(gone))) == [("user_id", "ROLE_NOT_AVAILABLE")]
    keeper = world.calls(seller(roles.API_CLIENT_ADMIN, SHOP))
    robot = clients.ApiClient(id="robot", name="Robot", active=True, allow_any_buyer=True, default_user_id="bob")
    making_it = clients.CreateApiClientRequest(api_client=robot)
    assert violations(await refused(keeper.clients.CreateApiClient(making_it))) == [
        ("api_client.default_user_id", "ROLE_NOT_AVAILABLE")
    ]
    secret = await world.client("mech", secret=True, default_user_id="bob")
    rotating = clients.RotateSecretRequest(api_client_id="mech")
    assert violations(await refused(keeper.clients.RotateSecret(rotating))) == [("api_client_id", "ROLE_NOT_AVAILABLE")]
    assert FULL in (await world.tokens.IssueToken(by_secret("mech", secret))).roles


async def test_who_makes_a_user_holds_what_the_company_gives_all_its_users(world):
    admin = await furnished(world)
    await giving(admin, given("readers", party=ACME))
    made = users.CreateUserRequest(user=user("carl"))
    lesser = world.calls(buyer(roles.USER_ADMIN, SHOP))
    assert violations(await refused(lesser.users.CreateUser(made))) == [("user.party", "ROLE_NOT_AVAILABLE")]
    await world.calls(buyer(roles.USER_ADMIN, SHOP, READ)).users.CreateUser(made)
    assert (await signed_in(world, "carl")).roles == {SHOP, READ}
