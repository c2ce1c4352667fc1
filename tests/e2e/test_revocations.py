"""What is taken away ends tokens that were given before, in the process that takes it and in every other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from services import roles
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from tests.support.sealing import SEALING_KEY
from waybill.catalog.v1 import product_service_pb2 as products
from waybill.catalog.v1 import product_service_pb2_grpc
from waybill.changes.v1 import change_service_pb2 as changes
from waybill.changes.v1 import change_service_pb2_grpc
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import (
    api_client_service_pb2_grpc,
    buyer_service_pb2_grpc,
    key_service_pb2,
    key_service_pb2_grpc,
    security_profile_service_pb2_grpc,
    token_service_pb2_grpc,
    user_group_service_pb2_grpc,
    user_service_pb2_grpc,
)
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_service_pb2 as users
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SELLER, Party
from waybill_client.errors import from_rpc_error

SECRET = "a-secret-that-only-this-test-has"
PASSWORD = "correct horse battery staple"
SELLER = Party(kind=PARTY_KIND_SELLER, id="seller")
ACME = Party(kind=PARTY_KIND_BUYER, id="acme")
CLERK = [roles.OPERATIONS_ADMIN, roles.ORDER_READER, roles.PASSWORD_RESET]
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Two:
    """A process with the directory, one with the catalog, and what the owner's calls carry."""

    directory: grpc.aio.Channel
    catalog: grpc.aio.Channel
    host: Host
    owner: Metadata

    async def token(self, username: str) -> Metadata:
        """What the calls of a user carry who signs in now."""
        request = tokens.IssueTokenRequest(client_id="shop", password=tokens.PasswordGrant(username=username, password=PASSWORD))
        issued = await token_service_pb2_grpc.TokenServiceStub(self.directory).IssueToken(request)
        return (("authorization", f"Bearer {issued.access_token}"),)

    async def answers(self, channel: grpc.aio.Channel, metadata: Metadata) -> str:
        """OK, or the reason why not."""
        stub: Any = (
            product_service_pb2_grpc.ProductServiceStub(channel).ListProducts
            if channel is self.catalog
            else user_group_service_pb2_grpc.UserGroupServiceStub(channel).ListGroupsOfUser
        )
        request: Any = products.ListProductsRequest() if channel is self.catalog else groups.ListGroupsOfUserRequest()
        try:
            await stub(request, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
        return "OK"

    async def ends(self, metadata: Metadata) -> None:
        """At once where it was taken away, and soon elsewhere."""
        assert await self.answers(self.directory, metadata) == "TOKEN_REVOKED"
        async with asyncio.timeout(30):
            while await self.answers(self.catalog, metadata) != "TOKEN_REVOKED":
                await asyncio.sleep(0.02)


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[Two]:
    """With a buyer, its user ada, the seller's clerk, and a client for both."""
    async with running(HostSettings(data=folder, only="directory", sealing_key=SEALING_KEY, service_secret=SECRET)) as directory:
        other = HostSettings(
            data=folder, only="catalog", service_secret=SECRET, addresses={"directory": directory.inner_address}, key_poll=0.1
        )
        async with (
            running(other) as catalog,
            grpc.aio.insecure_channel(directory.address) as one,
            grpc.aio.insecure_channel(catalog.address) as another,
        ):
            assert directory.secret is not None
            grant = tokens.ClientCredentialsGrant()
            request = tokens.IssueTokenRequest(
                client_id=directory.secret.client_id, client_secret=directory.secret.client_secret, client_credentials=grant
            )
            issued = await token_service_pb2_grpc.TokenServiceStub(one).IssueToken(request)
            made = Two(one, another, directory, (("authorization", f"Bearer {issued.access_token}"),))
            await _people(made)
            yield made


async def _people(world: Two) -> None:
    owner, channel = world.owner, world.directory
    buyer = buyers.CreateBuyerRequest(buyer=buyers.Buyer(id="acme", name="Acme", active=True, currency="USD"))
    await buyer_service_pb2_grpc.BuyerServiceStub(channel).CreateBuyer(buyer, metadata=owner)
    client = clients.ApiClient(id="shop", name="Shop", active=True, allow_seller=True, buyer_ids=["acme"])
    request = clients.CreateApiClientRequest(api_client=client)
    await api_client_service_pb2_grpc.ApiClientServiceStub(channel).CreateApiClient(request, metadata=owner)
    for id, party, held in (("ada", ACME, [roles.SHOPPER]), ("clerk", SELLER, CLERK)):
        user = users.User(id=id, party=party, username=id, password=PASSWORD, active=True, roles=held)
        await user_service_pb2_grpc.UserServiceStub(channel).CreateUser(users.CreateUserRequest(user=user), metadata=owner)


async def fewer_roles(world: Two) -> None:
    request = users.UpdateUserRequest(user=users.User(id="clerk", roles=[roles.ORDER_READER]))
    request.update_mask.paths.append("roles")
    await user_service_pb2_grpc.UserServiceStub(world.directory).UpdateUser(request, metadata=world.owner)


async def inactive(world: Two) -> None:
    request = users.UpdateUserRequest(user=users.User(id="clerk", active=False))
    request.update_mask.paths.append("active")
    await user_service_pb2_grpc.UserServiceStub(world.directory).UpdateUser(request, metadata=world.owner)


async def deleted(world: Two) -> None:
    request = users.DeleteUserRequest(user_id="clerk")
    await user_service_pb2_grpc.UserServiceStub(world.directory).DeleteUser(request, metadata=world.owner)


async def another_password(world: Two) -> None:
    request = users.SetPasswordRequest(user_id="clerk", password=PASSWORD + "!")
    await user_service_pb2_grpc.UserServiceStub(world.directory).SetPassword(request, metadata=world.owner)


async def its_own_password(world: Two) -> None:
    request = users.ChangePasswordRequest(old_password=PASSWORD, new_password=PASSWORD + "!")
    own = await world.token("clerk")
    await user_service_pb2_grpc.UserServiceStub(world.directory).ChangePassword(request, metadata=own)
    # What it was changed with ends, too.
    assert await world.answers(world.directory, own) == "TOKEN_REVOKED"


async def another_secret(world: Two) -> None:
    request = clients.RotateSecretRequest(api_client_id="shop")
    await api_client_service_pb2_grpc.ApiClientServiceStub(world.directory).RotateSecret(request, metadata=world.owner)


async def a_client_for_fewer(world: Two) -> None:
    request = clients.UpdateApiClientRequest(api_client=clients.ApiClient(id="shop", allow_seller=False))
    request.update_mask.paths.append("allow_seller")
    await api_client_service_pb2_grpc.ApiClientServiceStub(world.directory).UpdateApiClient(request, metadata=world.owner)


async def a_client_gone(world: Two) -> None:
    request = clients.DeleteApiClientRequest(api_client_id="shop")
    await api_client_service_pb2_grpc.ApiClientServiceStub(world.directory).DeleteApiClient(request, metadata=world.owner)


TAKEN = [
    *(fewer_roles, inactive, deleted, another_password, its_own_password),
    *(another_secret, a_client_for_fewer, a_client_gone),
]


@pytest.mark.on_sqlite
@pytest.mark.parametrize("take", TAKEN)
async def test_what_is_taken_away_ends_the_tokens_that_had_it(tmp_path: Path, take: Callable[[Two], Awaitable[None]]) -> None:
    async with two(tmp_path) as world:
        clerk = await world.token("clerk")
        assert [await world.answers(channel, clerk) for channel in (world.directory, world.catalog)] == ["OK", "OK"]
        await take(world)
        await world.ends(clerk)
        assert await world.answers(world.catalog, world.owner) == "OK"


@pytest.mark.on_sqlite
async def test_a_company_that_takes_part_no_longer_ends_the_tokens_of_its_users_and_of_no_one_else(tmp_path: Path) -> None:
    async with two(tmp_path) as world:
        ada, clerk = await world.token("ada"), await world.token("clerk")
        assert [await world.answers(world.directory, who) for who in (ada, clerk)] == ["OK", "OK"]
        request = buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id="acme", active=False))
        request.update_mask.paths.append("active")
        await buyer_service_pb2_grpc.BuyerServiceStub(world.directory).UpdateBuyer(request, metadata=world.owner)
        await world.ends(ada)
        assert [await world.answers(c, clerk) for c in (world.directory, world.catalog)] == ["OK", "OK"]


@pytest.mark.on_sqlite
@pytest.mark.parametrize("how", ["member", "assignment", "profile", "of a company"])
async def test_roles_by_profiles_and_groups_end_with_them(tmp_path: Path, how: str) -> None:
    async with two(tmp_path) as world:
        owner = world.owner
        group: Any = user_group_service_pb2_grpc.UserGroupServiceStub(world.directory)
        profile: Any = security_profile_service_pb2_grpc.SecurityProfileServiceStub(world.directory)
        made = profiles.SecurityProfile(id="more", name="More", roles=[roles.ORDER_ADMIN, roles.ORDER_READER])
        await profile.CreateSecurityProfile(profiles.CreateSecurityProfileRequest(security_profile=made), metadata=owner)
        new = groups.UserGroup(id="staff", name="Staff", party=SELLER)
        await group.CreateUserGroup(groups.CreateUserGroupRequest(user_group=new), metadata=owner)
        members = [groups.UserGroupMember(user_group_id="staff", user_id="clerk")]
        await group.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=members), metadata=owner)
        whom = {"party": SELLER} if how == "of a company" else {"user_group_id": "staff"}
        assigned = [profiles.SecurityProfileAssignment(security_profile_id="more", **whom)]
        await profile.AssignSecurityProfiles(profiles.AssignSecurityProfilesRequest(assignments=assigned), metadata=owner)

        clerk = await world.token("clerk")
        assert await world.answers(world.directory, clerk) == "OK"
        if how == "member":
            await group.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=members), metadata=owner)
        elif how == "profile":
            less = profiles.UpdateSecurityProfileRequest(
                security_profile=profiles.SecurityProfile(id="more", roles=[roles.ORDER_READER])
            )
            less.update_mask.paths.append("roles")
            await profile.UpdateSecurityProfile(less, metadata=owner)
        else:
            await profile.UnassignSecurityProfiles(profiles.UnassignSecurityProfilesRequest(assignments=assigned), metadata=owner)
        await world.ends(clerk)
        again = await world.token("clerk")
        assert [await world.answers(channel, again) for channel in (world.directory, world.catalog)] == ["OK", "OK"]


@pytest.mark.on_sqlite
async def test_more_roles_end_no_token(tmp_path: Path) -> None:
    async with two(tmp_path) as world:
        clerk = await world.token("clerk")
        more = [*CLERK, roles.PRODUCT_ADMIN]
        request = users.UpdateUserRequest(user=users.User(id="clerk", roles=more, first_name="Cleo"))
        request.update_mask.paths.extend(["roles", "first_name"])
        await user_service_pb2_grpc.UserServiceStub(world.directory).UpdateUser(request, metadata=world.owner)
        assert await world.answers(world.directory, clerk) == "OK"


async def _watch(world: Two, metadata: Metadata) -> Any:
    """A watch of the catalog's changes that has begun."""
    request = changes.WatchChangesRequest(context="catalog")
    call = change_service_pb2_grpc.ChangeServiceStub(world.catalog).WatchChanges(request, metadata=metadata)
    await call.read()
    return call


async def _end(call: Any) -> str:
    """The reason why a watch ends."""
    try:
        async with asyncio.timeout(30):
            while await call.read() is not grpc.aio.EOF:
                pass
        await call.code()
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "OK"


@pytest.mark.on_sqlite
async def test_an_open_watch_ends_with_what_its_caller_had_and_others_go_on(tmp_path: Path) -> None:
    async with two(tmp_path) as world:
        watched, kept = await _watch(world, await world.token("clerk")), await _watch(world, world.owner)
        await fewer_roles(world)
        assert await _end(watched) == "TOKEN_REVOKED"
        assert not kept.done()
        kept.cancel()


@pytest.mark.on_sqlite
async def test_an_open_watch_ends_with_the_key_of_its_token(tmp_path: Path) -> None:
    async with two(tmp_path) as world:
        watched = await _watch(world, world.owner)
        keys: Any = key_service_pb2_grpc.KeyServiceStub(world.directory)
        (key,) = (await keys.ListKeys(key_service_pb2.ListKeysRequest(), metadata=world.owner)).keys
        await keys.WithdrawKey(key_service_pb2.WithdrawKeyRequest(kid=key.kid), metadata=world.owner)
        assert await _end(watched) == "TOKEN_INVALID"
