"""Users of one kind of company are managed by a role of their own, which reaches no others."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.directory.world import ACME, BOLT, GLOBEX, PASSWORD, SELLER, World, profile, user
from tests.integration.directory.world import given as assigned
from tests.support.principals import buyer, seller, supplier
from waybill.audit.v1 import audit_service_pb2 as audit
from waybill.audit.v1 import audit_service_pb2_grpc
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import user_service_pb2 as users
from waybill.type.v1.party_pb2 import Party

PEOPLE = {"anna": ACME, "gil": GLOBEX, "sven": BOLT, "odd": SELLER}
"""A user of each company, all of them shoppers."""
READERS = (roles.BUYER_USER_READER, roles.SUPPLIER_USER_READER, roles.ADMIN_USER_READER)
NARROW = (roles.BUYER_USER_ADMIN, roles.SUPPLIER_USER_ADMIN, roles.ADMIN_USER_ADMIN)
CALLERS = (
    (seller(roles.BUYER_USER_ADMIN, roles.SHOPPER), {"anna", "gil"}),
    (seller(roles.SUPPLIER_USER_ADMIN, roles.SHOPPER), {"sven"}),
    (seller(roles.ADMIN_USER_ADMIN, roles.SHOPPER), {"odd"}),
    (seller(roles.ADMIN_USER_ADMIN, roles.SUPPLIER_USER_ADMIN, roles.SHOPPER), {"odd", "sven"}),
    (seller(*NARROW, roles.SHOPPER), set(PEOPLE)),
    (seller(roles.USER_ADMIN, roles.SHOPPER), set(PEOPLE)),
    (buyer(*NARROW, roles.SHOPPER, user="boss"), {"anna"}),
    (supplier(*NARROW, roles.SHOPPER, user="dock"), {"sven"}),
)
"""Who manages which of them."""


async def heard(attempt: Any) -> str:
    """The kind of a refusal; empty where there is none."""
    try:
        await attempt
    except WaybillError as error:
        return error.kind.name
    return ""


def update(id: str, *paths: str, **fields: Any) -> users.UpdateUserRequest:
    return users.UpdateUserRequest(user=users.User(id=id, **fields), update_mask=FieldMask(paths=paths))


def acts_on(stub: Any, id: str, party: Party) -> dict[str, Any]:
    """Every call that changes a user, or makes one of its company."""
    new = user(f"new-{id}", party)
    return {
        "CreateUser": lambda: stub.CreateUser(users.CreateUserRequest(user=new)),
        "BatchCreateUsers": lambda: stub.BatchCreateUsers(users.BatchCreateUsersRequest(users=[user(f"more-{id}", party)])),
        "UpdateUser": lambda: stub.UpdateUser(update(id, "phone", phone="1")),
        "UpdateUser with an old etag": lambda: stub.UpdateUser(update(id, "phone", phone="1", etag="77")),
        "SetPassword": lambda: stub.SetPassword(users.SetPasswordRequest(user_id=id, password=PASSWORD)),
        "DeleteUser": lambda: stub.DeleteUser(users.DeleteUserRequest(user_id=id)),
    }


@pytest.mark.parametrize(("caller", "reached"), CALLERS, ids=lambda value: ",".join(sorted(getattr(value, "roles", value))))
async def test_a_narrower_role_reaches_users_of_its_own_kind_of_company(
    world: World, caller: Principal, reached: set[str]
) -> None:
    await world.companies()
    await world.people(*(user(id, party) for id, party in PEOPLE.items()))
    stub = world.calls(caller).users
    for id, party in PEOPLE.items():
        for name, act in acts_on(stub, id, party).items():
            expected = "STALE" if name.endswith("etag") else ""
            assert await heard(act()) == (expected if id in reached else Kind.MISSING.name), f"{name} of {id}"
    standing = {one.id for one in (await world.admin.users.ListUsers(users.ListUsersRequest())).users}
    assert standing & set(PEOPLE) == set(PEOPLE) - reached
    assert {id.partition("-")[2] for id in standing if "-" in id} == reached


async def test_a_batch_for_companies_of_two_kinds_is_not_begun(world: World) -> None:
    await world.companies()
    stub = world.calls(seller(roles.BUYER_USER_ADMIN, roles.SHOPPER)).users
    both = users.BatchCreateUsersRequest(users=[user("anna"), user("sven", BOLT)])
    assert await heard(stub.BatchCreateUsers(both)) == Kind.MISSING.name
    assert [one.id for one in (await world.admin.users.ListUsers(users.ListUsersRequest())).users] == ["owner"]


async def test_neither_the_owner_nor_oneself_is_there_to_who_manages_others(world: World) -> None:
    await world.companies()
    await world.people(user("clerk", SELLER, roles.BUYER_USER_ADMIN, roles.ME_ADMIN))
    stub = world.calls(seller(roles.BUYER_USER_ADMIN, roles.ME_ADMIN, user="clerk")).users
    for id in ("owner", "clerk"):
        assert await heard(stub.DeleteUser(users.DeleteUserRequest(user_id=id))) == Kind.MISSING.name
        assert await heard(stub.UpdateUser(update(id, "username", username="other"))) == Kind.MISSING.name
    # It is still itself: what every user changes of itself needs no role over users.
    mine = users.UpdateMeRequest(user=users.User(phone="7"), update_mask=FieldMask(paths=["phone"]))
    assert (await stub.UpdateMe(mine)).user.phone == "7"
    assert (await stub.GetMe(users.GetMeRequest())).user.id == "clerk"


async def test_no_narrower_role_gives_or_takes_over_what_it_does_not_hold(world: World) -> None:
    await world.companies()
    await world.people(user("anna"), user("vip", ACME, roles.ORDER_ADMIN))
    await world.admin.profiles.CreateSecurityProfile(
        profiles.CreateSecurityProfileRequest(security_profile=profile("payers", roles.SPENDING_ACCOUNT_ADMIN))
    )
    given = profiles.AssignSecurityProfilesRequest(assignments=[assigned("payers", party=GLOBEX)])
    await world.admin.profiles.AssignSecurityProfiles(given)
    stub = world.calls(seller(roles.BUYER_USER_ADMIN, roles.SHOPPER)).users
    for act, field in (
        (stub.CreateUser(users.CreateUserRequest(user=user("new", ACME, roles.USER_ADMIN))), "user.roles[0]"),
        (stub.CreateUser(users.CreateUserRequest(user=user("new", GLOBEX))), "user.party"),
        (stub.UpdateUser(update("anna", "roles", roles=[roles.SHOPPER, roles.USER_ADMIN])), "user.roles[1]"),
        (stub.UpdateUser(update("vip", "username", username="mine")), "user.id"),
        (stub.SetPassword(users.SetPasswordRequest(user_id="vip", password=PASSWORD)), "user_id"),
        (stub.DeleteUser(users.DeleteUserRequest(user_id="vip")), "user_id"),
    ):
        with pytest.raises(WaybillError) as error:
            await act
        assert [(one.field, one.reason) for one in error.value.fields] == [(field, "ROLE_NOT_AVAILABLE")]
    # It passes on what it holds, its own role too, which in a buyer's hands is for that buyer alone.
    made = await stub.CreateUser(users.CreateUserRequest(user=user("boss", ACME, roles.BUYER_USER_ADMIN)))
    assert list(made.user.roles) == [roles.BUYER_USER_ADMIN]


async def test_a_role_of_another_kind_of_company_admits_nobody(world: World) -> None:
    await world.companies()
    await world.people()
    for caller in (buyer(roles.SUPPLIER_USER_ADMIN, roles.ADMIN_USER_ADMIN), supplier(roles.BUYER_USER_ADMIN)):
        stub = world.calls(caller).users
        for name, act in acts_on(stub, "anna", ACME).items():
            with pytest.raises(WaybillError) as error:
                await act()
            assert (error.value.reason, error.value.metadata) == ("ROLE_MISSING", {"role": roles.USER_ADMIN}), name


async def test_a_repeated_request_makes_one_user_and_is_in_the_audit_log_once(world: World) -> None:
    await world.companies()
    clerk = seller(roles.BUYER_USER_ADMIN, roles.SHOPPER, user="clerk")
    request = users.CreateUserRequest(user=user("anna"), request_id="r1")
    first, again = [await world.calls(clerk).users.CreateUser(request) for _ in range(2)]
    assert first.user == again.user
    log: Any = world.served.stub(audit_service_pb2_grpc.AuditServiceStub, seller(roles.AUDIT_READER))
    kept = await log.ListAuditEntries(audit.ListAuditEntriesRequest(context="directory", filter='resource_id = "anna"'))
    assert [(entry.action, entry.resource) for entry in kept.entries] == [("CreateUser", "user")]


OTHERS = sorted(roles.ALL_ROLES - {roles.FULL_ACCESS, roles.USER_ADMIN, *NARROW, *READERS})
"""Every role that is not over users."""


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (seller(roles.BUYER_USER_READER, user="odd"), {"anna", "bob", "gil", "odd"}),
        (seller(roles.BUYER_USER_ADMIN, user="odd"), {"anna", "bob", "gil", "odd"}),
        (seller(roles.SUPPLIER_USER_READER, user="odd"), {"sven", "odd"}),
        (seller(roles.ADMIN_USER_READER, user="odd"), {"odd", "owner"}),
        (seller(*READERS, user="odd"), {"anna", "bob", "gil", "odd", "owner", "sven"}),
        (seller(*OTHERS, user="odd"), {"odd"}),
        (buyer(*READERS), {"anna", "bob"}),
        (buyer(roles.SUPPLIER_USER_READER, roles.ADMIN_USER_READER), {"anna"}),
        (buyer(*OTHERS), {"anna"}),
        (supplier(*READERS, user="sven"), {"sven", "sid"}),
        (supplier(*OTHERS, user="sven"), {"sven"}),
    ],
    ids=lambda value: ",".join(sorted(getattr(value, "roles", value)))[:60],
)
async def test_without_a_role_over_users_of_their_kind_of_company_others_are_not_there(
    world: World, caller: Principal, seen: set[str]
) -> None:
    await world.companies()
    await world.people(user("anna"), user("bob"), user("gil", GLOBEX), user("sven", BOLT), user("sid", BOLT), user("odd", SELLER))
    stub = world.calls(caller).users
    everybody = {"anna", "bob", "gil", "sven", "sid", "odd", "owner"}
    seen = seen | ({"sid"} if caller.is_seller and "sven" in seen else set())
    listed = await stub.ListUsers(users.ListUsersRequest(include_total=True))
    assert ({one.id for one in listed.users}, listed.total_size) == (seen, len(seen))
    # A filter finds no more than the list shows.
    found = await stub.ListUsers(users.ListUsersRequest(filter='username = "bob" OR username = "owner"'))
    assert {one.id for one in found.users} == seen & {"bob", "owner"}
    got = {id: await heard(stub.GetUser(users.GetUserRequest(user_id=id))) for id in everybody}
    assert got == {id: "" if id in seen else Kind.MISSING.name for id in everybody}


async def test_readers_change_nothing(world: World) -> None:
    await world.companies()
    await world.people()
    for caller in (seller(*READERS), buyer(*READERS), supplier(*READERS)):
        assert await heard(world.calls(caller).users.UpdateUser(update("anna", "phone", phone="1"))) == Kind.DENIED.name
