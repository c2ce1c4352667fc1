"""Groups of users, and who is in them."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from services.directory.application.people import user_groups
from tests.integration.directory.test_deletes import after, behind, used_by
from tests.integration.directory.world import ACME, BOLT, GLOBEX, SELLER, given, group, member, profile, user
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import membership_service_pb2 as memberships
from waybill.directory.v1 import membership_service_pb2_grpc as memberships_grpc
from waybill.directory.v1 import user_group_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2 as users
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party

MOON = Party(kind=PARTY_KIND_BUYER, id="moon")
KEEPER = buyer(roles.USER_GROUP_ADMIN, user="anna")


async def refused(attempt) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def violations(error: WaybillError) -> list[tuple[str, str]]:
    return [(found.field, found.reason) for found in error.fields]


def making(stubs, *made, **more):
    return stubs.groups.BatchCreateUserGroups(pb.BatchCreateUserGroupsRequest(user_groups=made, **more))


def joining(stubs, *members, **more):
    return stubs.groups.AddUserGroupMembers(pb.AddUserGroupMembersRequest(members=members, **more))


def leaving(stubs, *members, **more):
    return stubs.groups.RemoveUserGroupMembers(pb.RemoveUserGroupMembersRequest(members=members, **more))


async def members_of(stubs, id, **more) -> list[str]:
    answer = await stubs.groups.ListUserGroupMembers(pb.ListUserGroupMembersRequest(user_group_id=id, **more))
    return [item.user_id for item in answer.members]


async def groups_of(stubs, user_id="", **more) -> list[str]:
    answer = await stubs.groups.ListGroupsOfUser(pb.ListGroupsOfUserRequest(user_id=user_id, **more))
    return [item.id for item in answer.user_groups]


async def furnished(world):
    """Every company has a group; Anna and Bob are in that of Acme."""
    await world.companies()
    await world.people()
    await world.groups(group("buyers"), group("others", GLOBEX), group("crew", BOLT), group("staff", SELLER))
    await world.join(member("buyers", "anna"), member("buyers", "bob"))
    return world.admin


async def test_a_group_is_made_changed_listed_and_deleted(world):
    admin = await furnished(world)
    made = await making(admin, group("big", description="Large orders."), group("", name="Nameless"), request_id="r")
    again = await making(admin, group("big", description="Large orders."), group("", name="Nameless"), request_id="r")
    assert again == made
    assert made.user_groups[1].id.startswith("grp")
    changed = pb.UserGroup(id="big", name="Bigger", etag="1")
    mask = FieldMask(paths=["name"])
    request = pb.UpdateUserGroupRequest(user_group=changed, update_mask=mask)
    answer = (await admin.groups.UpdateUserGroup(request)).user_group
    assert (answer.name, answer.description, answer.etag) == ("Bigger", "Large orders.", "2")
    assert (await refused(admin.groups.UpdateUserGroup(request))).reason == "ETAG_MISMATCH"
    moved = pb.UpdateUserGroupRequest(user_group=pb.UserGroup(id="big", party=GLOBEX))
    assert violations(await refused(admin.groups.UpdateUserGroup(moved))) == [("user_group.party", "FIELD_INVALID")]
    listing = pb.ListUserGroupsRequest(filter='party = "BUYER:acme" AND name:"igge"', include_total=True)
    page = await admin.groups.ListUserGroups(listing)
    assert ([one.id for one in page.user_groups], page.total_size) == (["big"], 1)
    await admin.groups.DeleteUserGroup(pb.DeleteUserGroupRequest(user_group_id="big", etag="2"))
    assert (await refused(admin.groups.GetUserGroup(pb.GetUserGroupRequest(user_group_id="big")))).kind is Kind.MISSING
    assert (await refused(making(admin, group("big")))).reason == "ID_OF_DELETED"


async def test_what_is_wrong_with_new_groups_is_named_at_once(world):
    admin = await furnished(world)
    wrong = [group("buyers"), group("a b", name=""), group("m", MOON), group("n", Party(id="acme")), group("n")]
    assert violations(await refused(making(admin, *wrong))) == [
        ("user_groups[1].id", "ID_INVALID"),
        ("user_groups[1].name", "FIELD_REQUIRED"),
        ("user_groups[3].party.kind", "FIELD_REQUIRED"),
        ("user_groups[4].id", "DUPLICATE_ITEM"),
        ("user_groups[2].party", "PARTY_NOT_FOUND"),
        ("user_groups[0].id", "RESOURCE_EXISTS"),
    ]


async def test_each_company_sees_and_keeps_its_own_groups_and_the_seller_all(world):
    await furnished(world)
    acme = world.calls(KEEPER)
    seen = await acme.groups.ListUserGroups(pb.ListUserGroupsRequest())
    assert [one.id for one in seen.user_groups] == ["buyers"]
    hidden = pb.GetUserGroupRequest(user_group_id="others")
    assert (await refused(acme.groups.GetUserGroup(hidden))).kind is Kind.MISSING
    assert (await refused(members_of(acme, "others"))).kind is Kind.MISSING
    assert (await refused(groups_of(acme, "gil"))).kind is Kind.MISSING
    assert (await refused(making(acme, group("spies", GLOBEX)))).kind is Kind.MISSING
    assert violations(await refused(joining(acme, member("others", "anna")))) == [
        ("members[0].user_group_id", "USER_GROUP_NOT_FOUND")
    ]
    await making(acme, group("own"))
    bolt = world.calls(supplier(roles.USER_GROUP_ADMIN))
    await joining(bolt, member("crew", "sven"))
    reader = world.calls(seller(roles.USER_GROUP_READER))
    assert await members_of(reader, "crew") == ["sven"]
    assert len((await reader.groups.ListUserGroups(pb.ListUserGroupsRequest())).user_groups) == 5


async def test_reading_and_changing_need_their_roles_and_everyone_sees_the_groups_it_is_in(world):
    await furnished(world)
    anna, reader = world.calls(buyer()), world.calls(buyer(roles.USER_GROUP_READER, user="bob"))
    for stubs, allowed in ((anna, False), (reader, True)):
        for attempt in (
            stubs.groups.GetUserGroup(pb.GetUserGroupRequest(user_group_id="buyers")),
            stubs.groups.ListUserGroups(pb.ListUserGroupsRequest()),
            members_of(stubs, "buyers"),
            groups_of(stubs, "bob" if stubs is anna else "anna"),
        ):
            if allowed:
                assert await attempt
            else:
                assert (await refused(attempt)).metadata == {"role": roles.USER_GROUP_READER}
        for attempt in (
            making(stubs, group("x")),
            joining(stubs, member("buyers", "anna")),
            leaving(stubs, member("buyers", "anna")),
            stubs.groups.UpdateUserGroup(pb.UpdateUserGroupRequest(user_group=pb.UserGroup(id="buyers", name="x"))),
            stubs.groups.DeleteUserGroup(pb.DeleteUserGroupRequest(user_group_id="buyers")),
        ):
            assert (await refused(attempt)).metadata == {"role": roles.USER_GROUP_ADMIN}
    assert await groups_of(anna) == await groups_of(anna, "anna") == ["buyers"]


async def test_members_are_of_the_groups_company_and_what_is_wrong_is_named_at_once(world):
    admin = await furnished(world)
    wrong = [
        member("buyers", "gil"),
        member("buyers", "nobody"),
        member("moon", "anna"),
        member("", ""),
        member("staff", "owner"),
        member("staff", "owner"),
    ]
    assert violations(await refused(joining(admin, *wrong))) == [
        ("members[3].user_group_id", "FIELD_REQUIRED"),
        ("members[3].user_id", "FIELD_REQUIRED"),
        ("members[5]", "DUPLICATE_ITEM"),
        ("members[0].user_id", "USER_NOT_FOUND"),
        ("members[1].user_id", "USER_NOT_FOUND"),
        ("members[2].user_group_id", "USER_GROUP_NOT_FOUND"),
    ]
    assert violations(await refused(joining(admin))) == [("members", "FIELD_REQUIRED")]
    many = [member("buyers", f"u{i}") for i in range(1_001)]
    assert ("members", "TOO_MANY_ITEMS") in violations(await refused(joining(admin, *many)))
    assert await members_of(admin, "staff") == []
    await joining(admin, member("staff", "owner"))


async def test_memberships_are_added_and_ended_as_often_as_is_asked_and_change_once(world):
    admin = await furnished(world)
    (feed,) = [app.changes for app in world.served.apps]
    place = await behind(feed, "user group member", "buyers/bob")

    await joining(admin, member("buyers", "anna"), member("buyers", "bob"))
    await leaving(admin, member("buyers", "bob"), member("buyers", "gil"), member("moon", "anna"))
    await leaving(admin, member("buyers", "bob"))
    await joining(admin, member("buyers", "bob"), request_id="again")
    await leaving(admin, member("buyers", "bob"))
    await joining(admin, member("buyers", "bob"), request_id="again")

    assert await members_of(admin, "buyers") == ["anna"]
    assert [(change.resource_id, change.body) for change in await after(feed, place, 3)] == [
        ("buyers/bob", {"user_group_id": "buyers", "user_id": "bob"}),
        ("buyers/bob", None),
        ("buyers/bob", {"user_group_id": "buyers", "user_id": "bob"}),
    ]


async def test_nobody_leaves_a_group_of_another_company_by_a_foreign_hand(world):
    admin = await furnished(world)
    globex = world.calls(buyer(roles.USER_GROUP_ADMIN, party="globex", user="gil"))
    await leaving(globex, member("buyers", "anna"))
    assert await members_of(admin, "buyers") == ["anna", "bob"]


async def test_who_makes_a_member_holds_what_the_groups_profiles_give(world):
    await furnished(world)
    await world.profiles(profile("readers", roles.ORDER_READER, roles.SHOPPER))
    await world.give(given("readers", user_group_id="buyers"))
    await world.leave(member("buyers", "bob"))
    assert violations(await refused(joining(world.calls(KEEPER), member("buyers", "bob")))) == [
        ("members[0].user_group_id", "ROLE_NOT_AVAILABLE")
    ]
    await joining(world.calls(buyer(roles.USER_GROUP_ADMIN, roles.ORDER_READER, roles.SHOPPER)), member("buyers", "bob"))
    await leaving(world.calls(KEEPER), member("buyers", "bob"))
    assert await members_of(world.admin, "buyers") == ["anna"]


async def test_a_group_with_members_or_a_profile_is_not_deleted_and_its_company_is_not_either(world):
    admin = await furnished(world)
    await world.profiles(profile("readers", roles.ORDER_READER))
    await world.give(given("readers", user_group_id="buyers"), given("readers", party=GLOBEX))

    def going():
        return admin.groups.DeleteUserGroup(pb.DeleteUserGroupRequest(user_group_id="buyers"))

    assert await used_by(going()) == "user group member: 2 (anna, bob); security profile assignment: 1 (readers)"
    gone = admin.buyers.DeleteBuyer(buyers.DeleteBuyerRequest(buyer_id="globex"))
    assert await used_by(gone) == "user: 1 (gil); user group: 1 (others); security profile assignment: 1 (readers)"


async def test_a_deleted_user_leaves_its_groups_each_by_a_change(world):
    admin = await furnished(world)
    await world.groups(group("more"))
    await world.join(member("more", "anna"))
    await world.profiles(profile("readers", roles.SHOPPER))
    await world.give(given("readers", user_id="anna"))
    (feed,) = [app.changes for app in world.served.apps]
    place = await behind(feed, "security profile assignment", "readers///anna")

    await admin.users.DeleteUser(users.DeleteUserRequest(user_id="anna"))

    assert sorted((change.resource, change.resource_id) for change in await after(feed, place, 4)) == [
        ("security profile assignment", "readers///anna"),
        ("user", "anna"),
        ("user group member", "buyers/anna"),
        ("user group member", "more/anna"),
    ]
    assert await members_of(admin, "buyers") == ["bob"]
    await admin.groups.DeleteUserGroup(pb.DeleteUserGroupRequest(user_group_id="more"))


async def test_a_delete_of_a_user_that_is_refused_leaves_its_memberships(world):
    admin = await furnished(world)
    await world.client("robot", default_user_id="anna")
    assert (await refused(admin.users.DeleteUser(users.DeleteUserRequest(user_id="anna")))).reason == "RESOURCE_IN_USE"
    assert await members_of(admin, "buyers") == ["anna", "bob"]


async def test_a_user_in_ten_thousand_groups_is_listed_page_by_page_and_services_get_all(world):
    admin = await furnished(world)
    ids = [f"g{i:05}" for i in range(10_000)]
    for first in range(0, len(ids), 1_000):
        part = ids[first : first + 1_000]
        await making(admin, *(group(id) for id in part))
        await joining(admin, *(member(id, "anna") for id in part))

    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListGroupsOfUserRequest(user_id="anna", page_size=1_000, page_token=token, order_by="id")
        page = await admin.groups.ListGroupsOfUser(request)
        seen += [one.id for one in page.user_groups]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["buyers", *ids]
    counted = await admin.groups.ListGroupsOfUser(pb.ListGroupsOfUserRequest(user_id="anna", include_total=True))
    assert counted.total_size == 10_001
    asked = memberships.ListUserGroupIdsRequest(user_id="anna")
    assert list((await world.memberships.ListUserGroupIds(asked)).user_group_ids) == ["buyers", *ids]
    nobody = memberships.ListUserGroupIdsRequest(user_id="nobody")
    assert list((await world.memberships.ListUserGroupIds(nobody)).user_group_ids) == []


async def test_members_are_filtered_ordered_and_paged(world):
    admin = await furnished(world)
    await world.people(user("cleo"), user("dora"))
    await world.join(member("buyers", "cleo"), member("buyers", "dora"))
    assert await members_of(admin, "buyers", order_by="user_id desc") == ["dora", "cleo", "bob", "anna"]
    assert await members_of(admin, "buyers", filter='user_id = "c*"') == ["cleo"]
    first = await admin.groups.ListUserGroupMembers(pb.ListUserGroupMembersRequest(user_group_id="buyers", page_size=3))
    rest = await members_of(admin, "buyers", page_token=first.next_page_token)
    assert ([m.user_id for m in first.members], rest) == (["anna", "bob", "cleo"], ["dora"])
    foreign = await refused(members_of(admin, "others", page_token=first.next_page_token))
    assert violations(foreign) == [("page_token", "PAGE_TOKEN_INVALID")]


async def test_a_user_is_in_so_many_groups_and_no_more(world, monkeypatch):
    monkeypatch.setattr(user_groups, "MOST_GROUPS", 4)
    admin = await furnished(world)
    ids = [f"g{i}" for i in range(4)]
    await making(admin, *(group(id) for id in ids))
    # Anna is in one already.
    await joining(admin, *(member(id, "anna") for id in ids[:3]))
    full = await refused(joining(admin, member(ids[3], "bob"), member(ids[3], "anna"), member(ids[0], "anna")))
    assert violations(full) == [("members[1].user_id", "TOO_MANY_ITEMS"), ("members[2].user_id", "TOO_MANY_ITEMS")]
    assert await members_of(admin, ids[3]) == []
    # Where she is already she stays, and who leaves one may join another.
    await joining(admin, member(ids[0], "anna"), member(ids[0], "bob"))
    await leaving(admin, member(ids[0], "anna"))
    await joining(admin, member(ids[3], "anna"))
    assert await members_of(admin, ids[3]) == ["anna"]


async def test_services_ask_whose_groups_are(world):
    await world.companies()
    await world.people()
    await world.groups(group("buyers"), group("theirs", GLOBEX), group("packers", BOLT))
    orders = world.served.service_stub(memberships_grpc.MembershipServiceStub, "order")

    async def parties(*ids: str) -> list[tuple[str, int, str]]:
        answer = await orders.BatchGetGroupParties(memberships.BatchGetGroupPartiesRequest(user_group_ids=ids))
        return [(one.user_group_id, one.party.kind, one.party.id) for one in answer.groups]

    asked = await parties("theirs", "buyers", "packers", "nowhere", "no id!", "buyers")
    assert asked == [("buyers", ACME.kind, "acme"), ("packers", BOLT.kind, "bolt"), ("theirs", GLOBEX.kind, "globex")]
    for ids in ((), ("buyers",) * 1_001):
        with pytest.raises(WaybillError) as error:
            await parties(*ids)
        assert error.value.kind is Kind.INVALID
