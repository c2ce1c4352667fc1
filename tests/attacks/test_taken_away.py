"""What a token was given for is taken away while it lives: from then on every method of every service refuses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services import roles
from services.host.sample.marketplace import PASSWORD, party
from tests.access.callers import Metadata
from tests.attacks.tally import Tally
from tests.attacks.target import Target, carrying, target
from tests.support.contracts import services
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import key_service_pb2 as keys
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client import AsyncWaybill

METHODS = [method for service in services() for method in service.methods]
HELD = [roles.SHOPPER, roles.ORDER_READER]


def changed(resource: Any, request: Any, **values: Any) -> Any:
    """An update of these fields."""
    name = next(f.name for f in request.DESCRIPTOR.fields if f.message_type is resource.DESCRIPTOR)
    made = request(update_mask={"paths": list(values)})
    getattr(made, name).CopyFrom(resource)
    for field, value in values.items():
        if isinstance(value, list):
            getattr(getattr(made, name), field).extend(value)
        else:
            setattr(getattr(made, name), field, value)
    return made


async def fewer_roles(owner: AsyncWaybill, id: str) -> None:
    await owner.users.UpdateUser(changed(users.User(id=id), users.UpdateUserRequest, roles=[roles.ORDER_READER]))


async def dismissed(owner: AsyncWaybill, id: str) -> None:
    await owner.users.UpdateUser(changed(users.User(id=id), users.UpdateUserRequest, active=False))


async def removed(owner: AsyncWaybill, id: str) -> None:
    await owner.users.DeleteUser(users.DeleteUserRequest(user_id=id))


async def another_password(owner: AsyncWaybill, id: str) -> None:
    await owner.users.SetPassword(users.SetPasswordRequest(user_id=id, password=PASSWORD + "!"))


async def client_off(owner: AsyncWaybill, id: str) -> None:
    await owner.api_clients.UpdateApiClient(
        changed(clients.ApiClient(id=f"c-{id}"), clients.UpdateApiClientRequest, active=False)
    )


async def another_secret(owner: AsyncWaybill, id: str) -> None:
    await owner.api_clients.RotateSecret(clients.RotateSecretRequest(api_client_id=f"c-{id}"))


async def company_off(owner: AsyncWaybill, id: str) -> None:
    await owner.buyers.UpdateBuyer(changed(buyers.Buyer(id=f"b-{id}"), buyers.UpdateBuyerRequest, active=False))


async def out_of_the_group(owner: AsyncWaybill, id: str) -> None:
    member = groups.UserGroupMember(user_group_id=f"g-{id}", user_id=id)
    await owner.user_groups.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=[member]))


async def group_deleted(owner: AsyncWaybill, id: str) -> None:
    # One that somebody is in is not deleted.
    await out_of_the_group(owner, id)
    await profile_unassigned(owner, id)
    await owner.user_groups.DeleteUserGroup(groups.DeleteUserGroupRequest(user_group_id=f"g-{id}"))


async def profile_unassigned(owner: AsyncWaybill, id: str) -> None:
    given = profiles.SecurityProfileAssignment(security_profile_id=f"p-{id}", user_group_id=f"g-{id}")
    await owner.security_profiles.UnassignSecurityProfiles(profiles.UnassignSecurityProfilesRequest(assignments=[given]))


async def profile_smaller(owner: AsyncWaybill, id: str) -> None:
    smaller = changed(profiles.SecurityProfile(id=f"p-{id}"), profiles.UpdateSecurityProfileRequest, roles=[roles.ORDER_READER])
    await owner.security_profiles.UpdateSecurityProfile(smaller)


async def key_withdrawn(owner: AsyncWaybill, id: str) -> None:
    found = (await owner.keys.ListKeys(keys.ListKeysRequest())).keys
    signing = next(key.kid for key in found if key.state == keys.SIGNING_KEY_STATE_SIGNING)
    await owner.keys.WithdrawKey(keys.WithdrawKeyRequest(kid=signing))


TAKEN: tuple[Callable[[AsyncWaybill, str], Awaitable[None]], ...] = (
    fewer_roles,
    dismissed,
    removed,
    another_password,
    client_off,
    another_secret,
    company_off,
    out_of_the_group,
    group_deleted,
    profile_unassigned,
    profile_smaller,
)


async def newcomer(target: Target, id: str) -> Metadata:
    """Somebody with roles of its own and of a group's profile, in a company and with a client of its own, who has signed in."""
    owner = target.callers.market.people.owner
    company = buyers.Buyer(id=f"b-{id}", name=id, active=True, currency="USD")
    await owner.buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=company))
    client = clients.ApiClient(id=f"c-{id}", name=id, active=True, buyer_ids=[f"b-{id}"])
    await owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    user = users.User(id=id, username=id, party=party("BUYER", f"b-{id}"), active=True, password=PASSWORD, roles=HELD)
    await owner.users.CreateUser(users.CreateUserRequest(user=user))
    group = groups.UserGroup(id=f"g-{id}", name=id, party=party("BUYER", f"b-{id}"))
    await owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=group))
    profile = profiles.SecurityProfile(id=f"p-{id}", name=id, roles=[roles.ORDER_READER, roles.ORDER_ADMIN])
    await owner.security_profiles.CreateSecurityProfile(profiles.CreateSecurityProfileRequest(security_profile=profile))
    given = profiles.SecurityProfileAssignment(security_profile_id=f"p-{id}", user_group_id=f"g-{id}")
    await owner.security_profiles.AssignSecurityProfiles(profiles.AssignSecurityProfilesRequest(assignments=[given]))
    member = groups.UserGroupMember(user_group_id=f"g-{id}", user_id=id)
    await owner.user_groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=[member]))
    grant = token_service_pb2.PasswordGrant(username=id, password=PASSWORD)
    request = token_service_pb2.IssueTokenRequest(client_id=f"c-{id}", password=grant)
    issued = await token_service_pb2_grpc.TokenServiceStub(target.callers.outside).IssueToken(request)
    return carrying(issued.access_token)


async def answers(target: Target, metadata: Metadata) -> dict[str, str]:
    """By method, what its caller hears."""
    return {m.full_name: (await target.callers.answer(m, metadata))[0] for m in METHODS}


async def ended_by(target: Target, take: Callable[[AsyncWaybill, str], Awaitable[None]]) -> dict[str, str]:
    """What somebody hears from whom this was taken away, and who was served before."""
    id = f"t-{take.__name__.replace('_', '-')}"
    metadata = await newcomer(target, id)
    before = list((await answers(target, metadata)).values())
    assert not {"TOKEN_REVOKED", "TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_MISSING"} & set(before)
    assert before.count("OK") > 10
    await take(target.callers.market.people.owner, id)
    return await answers(target, metadata)


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
async def test_a_token_ends_with_what_it_was_given_for(
    target_market: Target, tally: Tally, take: Callable[[AsyncWaybill, str], Awaitable[None]]
) -> None:
    after = await ended_by(target_market, take)
    assert {name: answer for name, answer in after.items() if answer != "TOKEN_REVOKED"} == {}
    tally.count("methods called with what was taken away", len(after))


async def test_a_token_ends_with_the_key_that_has_signed_it(tmp_path_factory: pytest.TempPathFactory, tally: Tally) -> None:
    # In a marketplace of its own: everybody has to sign in again.
    async with target(tmp_path_factory) as alone:
        after = await ended_by(alone, key_withdrawn)
    assert {name: answer for name, answer in after.items() if answer != "TOKEN_INVALID"} == {}
    tally.count("methods called with a token of a withdrawn key", len(after))
