"""What the directory's log of administrative acts has of users, secrets, keys and those who act in the place of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.errors import WaybillError
from services import roles
from services.directory.main import reset_owner_secret
from tests.integration.directory.world import ACME, PASSWORD, World, entry, user
from tests.support.principals import buyer, refusal_of, seller, supplier
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill.audit.v1 import audit_service_pb2_grpc
from waybill.directory.v1 import address_service_pb2 as addresses
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import key_service_pb2 as keys
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import token_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users

SECRETS = ("password_hash", "secret", PASSWORD, "$argon2")


async def log(world: World, filter: str = "", **asked: Any) -> list[pb.AuditEntry]:
    """The log, the newest first."""
    stub: Any = world.served.stub(audit_service_pb2_grpc.AuditServiceStub, seller(roles.AUDIT_READER))
    request = pb.ListAuditEntriesRequest(context="directory", filter=filter, page_size=1_000, **asked)
    return list((await stub.ListAuditEntries(request)).entries)


def shown(entry: pb.AuditEntry) -> Mapping[str, Any]:
    return {"action": entry.action, "what": f"{entry.resource} {entry.resource_id}", "fields": list(entry.fields)}


async def test_passwords_secrets_and_keys_are_acts_and_nothing_secret_is_said(world: World, settings: Any) -> None:
    await world.companies()
    await world.people(user("anna"))
    await world.client("shop", secret=True)
    anna = users.User(id="anna", password=PASSWORD, first_name="Anna")
    await world.admin.users.UpdateUser(users.UpdateUserRequest(user=anna))
    await world.admin.users.SetPassword(users.SetPasswordRequest(user_id="anna", password=PASSWORD))
    made = (await world.admin.keys.RotateKey(keys.RotateKeyRequest())).key.kid
    await world.admin.keys.WithdrawKey(keys.WithdrawKeyRequest(kid=made))
    await world.admin.clients.DeleteApiClient(clients.DeleteApiClientRequest(api_client_id="shop"))
    assert await reset_owner_secret(settings, world.clock) is not None
    entries = await log(world)
    assert [shown(one) for one in entries if one.resource in ("user", "API client", "signing key")] == [
        {"action": "ResetOwnerSecret", "what": "API client waybill-admin", "fields": []},
        {"action": "DeleteApiClient", "what": "API client shop", "fields": []},
        {"action": "WithdrawKey", "what": f"signing key {made}", "fields": []},
        {"action": "RotateKey", "what": f"signing key {made}", "fields": []},
        {"action": "SetPassword", "what": "user anna", "fields": []},
        {"action": "UpdateUser", "what": "user anna", "fields": ["first_name", "password"]},
        {"action": "RotateSecret", "what": "API client shop", "fields": []},
        {"action": "CreateApiClient", "what": "API client shop", "fields": []},
        {"action": "BatchCreateUsers", "what": "user anna", "fields": []},
    ]
    assert [word for word in SECRETS if word in str(entries).replace("waybill-admin", "")] == []
    assert {one.user_id for one in entries[1:]} == {"admin"}
    assert (entries[0].user_id, entries[0].HasField("party"), entries[0].method) == ("", False, "")
    assert entries[1].method == "/waybill.directory.v1.ApiClientService/DeleteApiClient"


async def test_what_a_buyer_s_own_admin_does_to_users_is_an_act_and_its_addresses_are_not(world: World) -> None:
    await world.companies()
    chief = world.calls(buyer(roles.USER_ADMIN, roles.SHOPPER, roles.ADDRESS_ADMIN, user="chief"))
    await chief.users.CreateUser(users.CreateUserRequest(user=user("cleo")))
    await chief.addresses.CreateAddresses(addresses.CreateAddressesRequest(entries=[entry("dock")]))
    (one,) = await log(world, 'user_id = "chief"')
    assert (one.action, one.resource, one.resource_id, one.party) == ("CreateUser", "user", "cleo", ACME)
    standing_in = world.calls(replace(buyer(roles.ADDRESS_ADMIN, user="chief"), impersonator_id="sam"))
    await standing_in.addresses.CreateAddresses(addresses.CreateAddressesRequest(entries=[entry("gate")]))
    (one,) = await log(world, 'impersonator_id = "sam"')
    assert (one.user_id, one.impersonator_id, one.resource_id) == ("chief", "sam", "BUYER:acme/gate")


async def test_who_begins_to_act_in_the_place_of_a_user_is_in_it_and_who_is_refused_is_not(world: World) -> None:
    await world.companies()
    await world.people()
    await world.client("shop")
    sam = seller(roles.BUYER_IMPERSONATION, user="sam")
    stub: Any = world.served.stub(token_service_pb2_grpc.TokenServiceStub, sam)
    grant = tokens.ImpersonationGrant(user_id="anna", buyer_id="acme")
    assert (await stub.IssueToken(tokens.IssueTokenRequest(client_id="shop", impersonation=grant))).access_token
    with pytest.raises(WaybillError):
        await stub.IssueToken(tokens.IssueTokenRequest(client_id="shop", impersonation=tokens.ImpersonationGrant(user_id="sven")))
    (one,) = await log(world, 'user_id = "sam"')
    assert shown(one) == {"action": "Impersonate", "what": "user anna", "fields": []}
    assert (one.client_id, one.impersonator_id) == (sam.client_id, "")


async def test_a_request_that_is_sent_again_or_refused_adds_nothing(world: World) -> None:
    await world.companies()
    before = len(await log(world))
    request = users.CreateUserRequest(user=user("anna"), request_id="once")
    for _ in range(2):
        await world.admin.users.CreateUser(request)
    with pytest.raises(WaybillError):
        await world.admin.users.CreateUser(users.CreateUserRequest(user=user("anna")))
    assert len(await log(world)) == before + 1


async def test_it_is_read_by_auditors_of_the_seller_alone(world: World) -> None:
    for caller in (seller(roles.OPERATIONS_ADMIN), buyer(roles.AUDIT_READER), supplier(roles.FULL_ACCESS)):
        stub: Any = world.served.stub(audit_service_pb2_grpc.AuditServiceStub, caller)
        with pytest.raises(WaybillError) as error:
            await stub.ListAuditEntries(pb.ListAuditEntriesRequest(context="directory"))
        assert (error.value.reason, error.value.metadata) == refusal_of(caller, roles.AUDIT_READER)
    stub = world.served.stub(audit_service_pb2_grpc.AuditServiceStub, seller())
    for context, reason in (("", "FIELD_REQUIRED"), ("catalog", "RESOURCE_NOT_FOUND")):
        with pytest.raises(WaybillError) as error:
            await stub.ListAuditEntries(pb.ListAuditEntriesRequest(context=context))
        assert error.value.reason == reason


async def test_acts_are_forgotten_after_the_time_that_the_settings_say(world: World, app: Any, settings: Any) -> None:
    await world.companies()
    assert (settings.audit_kept, len(await log(world))) == (timedelta(days=400), 3)
    world.clock.advance(timedelta(days=399))
    await world.people(user("anna"))
    world.clock.advance(timedelta(days=2))
    (forgetting,) = [loop for loop in app.background if loop.name == "forget_audit"]
    await forgetting.once()
    assert [one.resource_id for one in await log(world)] == ["anna"]


async def test_who_begins_to_be_refused_at_signing_in_is_in_it_once(world: World) -> None:
    await world.companies()
    await world.people(user("anna"))
    await world.client("shop")
    wrong = tokens.IssueTokenRequest(
        client_id="shop", password=tokens.PasswordGrant(username="anna", password="hunter2 of anna"), roles=[]
    )

    async def reason() -> str:
        with pytest.raises(WaybillError) as refused:
            await world.tokens.IssueToken(wrong)
        return refused.value.reason

    assert [await reason() for _ in range(13)] == ["GRANT_INVALID"] * 10 + ["TOO_MANY_ATTEMPTS"] * 3
    (one,) = await log(world, 'resource = "sign-in"')
    assert (one.action, one.user_id, one.HasField("party")) == ("RefuseSignIns", "", False)
    assert one.method == "/waybill.directory.v1.TokenService/IssueToken"
    assert one.resource_id.startswith("user anna from ")
    assert "hunter2" not in str(one)
    world.clock.advance(timedelta(minutes=1))
    assert {await reason() for _ in range(10)} == {"GRANT_INVALID"}
    assert len(await log(world, 'resource_id = "user anna from *"')) == 2


async def test_where_sign_ins_were_refused_from_is_forgotten_before_that_they_were(world: World, app: Any, settings: Any) -> None:
    await world.companies()
    await world.people(user("anna"))
    await world.client("shop")
    wrong = tokens.IssueTokenRequest(client_id="shop", password=tokens.PasswordGrant(username="anna", password="wrong"), roles=[])

    async def refuse() -> None:
        world.clock.advance(timedelta(days=1, minutes=1))
        for _ in range(11):
            with pytest.raises(WaybillError):
                await world.tokens.IssueToken(wrong)

    async def whence() -> list[str]:
        (forgetting,) = [loop for loop in app.background if loop.name == "forget_addresses"]
        await forgetting.once()
        return [one.resource_id for one in await log(world, 'resource = "sign-in"')]

    await refuse()
    [named] = await whence()
    assert settings.address_retention == 30
    world.clock.advance(timedelta(days=29))
    assert await whence() == [named]
    await refuse()
    newer, older = await whence()
    assert (newer, older) == (named, "user anna from a forgotten address")
    world.clock.advance(timedelta(days=31))
    assert await whence() == [older, older]
