"""Several secrets of one API client, and how one takes the place of another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from libs.db import Database, Json, UtcTime
from libs.db.migrate import upgrade
from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from services import roles
from services.directory.adapters.db.tables import CLIENT_SECRETS
from services.directory.adapters.db.tokens.accounts import SqlAccounts
from services.directory.domain.tokens.client_secrets import candidate
from services.directory.main import VERSIONS
from tests.support.principals import seller
from waybill.directory.v1 import api_client_service_pb2 as pb
from waybill.directory.v1 import revocation_service_pb2, revocation_service_pb2_grpc
from waybill.directory.v1 import token_service_pb2 as tokens

NO = "GRANT_INVALID"


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def portal(world):
    """A client without a secret that acts as anna."""
    await world.companies()
    await world.people()
    await world.admin.clients.CreateApiClient(
        pb.CreateApiClientRequest(
            api_client=pb.ApiClient(id="shop", name="Shop", active=True, allow_any_buyer=True, default_user_id="anna")
        )
    )
    return world.admin.clients


def after(world, **span):
    return time_out(world.clock.now() + timedelta(**span))


async def added(world, name="", **more):
    return await world.admin.clients.CreateSecret(pb.CreateSecretRequest(api_client_id="shop", name=name, **more))


async def rotated(world, **more):
    return await world.admin.clients.RotateSecret(pb.RotateSecretRequest(api_client_id="shop", **more))


async def ended(world, id, **more):
    return await world.admin.clients.EndSecret(pb.EndSecretRequest(api_client_id="shop", secret_id=id, **more))


async def listed(world):
    found = await world.admin.clients.ListSecrets(pb.ListSecretsRequest(api_client_id="shop"))
    return [(s.id, s.name, s.HasField("end_time")) for s in found.secrets]


async def works(world, secret):
    request = tokens.IssueTokenRequest(client_id="shop", client_secret=secret)
    request.client_credentials.SetInParent()
    try:
        await world.tokens.IssueToken(request)
    except WaybillError as error:
        return error.reason
    return "OK"


async def revoked(world):
    """How often something ended that tokens were given under."""
    stub = world.served.service_stub(revocation_service_pb2_grpc.RevocationServiceStub, "order")
    return len((await stub.ListRevocations(revocation_service_pb2.ListRevocationsRequest())).revocations)


async def test_secrets_hold_beside_each_other_until_they_end(world):
    await portal(world)
    first = await added(world, "till")
    second = await added(world, "nightly job", end_time=after(world, days=1))
    assert [await works(world, made.client_secret) for made in (first, second)] == ["OK", "OK"]
    assert await listed(world) == [(first.secret.id, "till", False), (second.secret.id, "nightly job", True)]
    assert second.secret.end_time == after(world, days=1)
    world.clock.advance(timedelta(days=1))
    assert [await works(world, made.client_secret) for made in (first, second)] == ["OK", NO]
    await ended(world, first.secret.id)
    assert [await works(world, made.client_secret) for made in (first, second)] == [NO, NO]
    # Those that have ended are forgotten with the next one that is made.
    third = await added(world)
    assert await listed(world) == [(third.secret.id, "", False)]


async def test_a_client_whose_secrets_have_all_ended_is_not_open_to_everybody(world):
    await portal(world)
    made = await added(world)
    await ended(world, made.secret.id)
    request = tokens.IssueTokenRequest(client_id="shop", password=tokens.PasswordGrant(username="bob", password="wrong"))
    assert (await refused(world.tokens.IssueToken(request))).reason == NO
    found = await world.admin.clients.GetApiClient(pb.GetApiClientRequest(api_client_id="shop"))
    assert found.api_client.has_secret


async def test_a_rotation_lets_the_others_hold_for_a_while(world):
    await portal(world)
    soon = await added(world, end_time=after(world, minutes=1))
    old = await added(world)
    new = await rotated(world, others_end_time=after(world, hours=1), name="new")
    holding = [soon, old, new]
    assert [await works(world, made.client_secret) for made in holding] == ["OK", "OK", "OK"]
    world.clock.advance(timedelta(minutes=1))
    assert [await works(world, made.client_secret) for made in holding] == [NO, "OK", "OK"]
    world.clock.advance(timedelta(hours=1))
    assert [await works(world, made.client_secret) for made in holding] == [NO, NO, "OK"]
    last = await rotated(world)
    assert [await works(world, made.client_secret) for made in (new, last)] == [NO, "OK"]


async def test_tokens_end_with_a_secret_that_is_ended_now_and_not_with_one_that_ends_later(world):
    await portal(world)
    before = await revoked(world)
    first = await added(world)
    assert await revoked(world) == before + 1
    second = await added(world)
    await rotated(world, others_end_time=after(world, hours=1))
    assert await revoked(world) == before + 1
    await ended(world, first.secret.id)
    assert await revoked(world) == before + 2
    await ended(world, first.secret.id)
    assert await revoked(world) == before + 2
    await rotated(world)
    assert await revoked(world) == before + 3
    assert await works(world, second.client_secret) == NO


async def test_five_hold_at_most(world):
    await portal(world)
    made = [await added(world) for _ in range(5)]
    for attempt in (added(world), rotated(world, others_end_time=after(world, days=1))):
        error = await refused(attempt)
        assert (error.kind, error.reason) == (Kind.PRECONDITION, "TOO_MANY_SECRETS")
        assert error.metadata == {"api_client": "shop", "limit": "5"}
    await ended(world, made[0].secret.id)
    await added(world)
    await rotated(world)
    assert len(await listed(world)) == 1


async def test_a_repeat_makes_no_other_secret_and_everything_wrong_is_named(world):
    await portal(world)
    made = await added(world, request_id="r1")
    error = await refused(added(world, request_id="r1"))
    assert (error.reason, len(await listed(world))) == ("SECRET_SHOWN_ONCE", 1)
    await ended(world, made.secret.id, request_id="r2")
    await ended(world, made.secret.id, request_id="r2")
    for end in (after(world), after(world, days=3_651)):
        wrong = pb.CreateSecretRequest(api_client_id="a b", name="x" * 101, end_time=end)
        fields = sorted((f.field, f.reason) for f in (await refused(world.admin.clients.CreateSecret(wrong))).fields)
        assert ("api_client_id", "ID_INVALID") in fields
        assert (await refused(added(world, end_time=end))).fields[0].reason == "VALUE_OUT_OF_RANGE"
        assert (await refused(rotated(world, others_end_time=end))).fields[0].field == "others_end_time"
    for attempt in (
        ended(world, "nothing"),
        world.admin.clients.CreateSecret(pb.CreateSecretRequest(api_client_id="nobody")),
        world.admin.clients.ListSecrets(pb.ListSecretsRequest(api_client_id="nobody")),
        world.admin.clients.EndSecret(pb.EndSecretRequest(api_client_id="nobody", secret_id=made.secret.id)),
    ):
        assert (await refused(attempt)).kind is Kind.MISSING


async def test_nobody_makes_a_secret_for_a_client_that_can_do_more(world):
    stubs = world.calls(seller(roles.API_CLIENT_ADMIN)).clients
    error = await refused(stubs.CreateSecret(pb.CreateSecretRequest(api_client_id="waybill-admin")))
    assert [(f.field, f.reason) for f in error.fields] == [("api_client_id", "ROLE_NOT_AVAILABLE")]


async def test_the_secret_of_a_client_from_before_still_proves_it(databases):
    """It has no clue, so it is what is tried when no other fits."""
    url, schema = await databases("former_secret")
    db = await Database.open(url, schema)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    try:
        await upgrade(db, VERSIONS, schema, "0017")
        flags = dict.fromkeys(("active", "allow_seller", "allow_any_buyer", "allow_any_supplier"), True)
        lists = dict.fromkeys(("buyer_ids", "supplier_ids", "roles"), "[]")
        row = {"name": "Shop", "access_token_minutes": 60, "default_user_id": "", "xp": "{}", "version": 1, **flags, **lists}
        row |= {"id": "shop", "secret_hash": PasswordHasher(1, 8, 1).hash("old"), "policy": "{}"}
        await _insert(db, {**row, "create_time": now, "update_time": now})
        await upgrade(db, VERSIONS, schema)
        async with db.reading() as tx:
            (kept,) = (await tx.execute(sa.select(CLIENT_SECRETS))).all()
        client = await SqlAccounts(db).client("shop")
        assert (kept.client_id, kept.clue, kept.create_time, kept.end_time) == ("shop", "", now, None)
        assert candidate(client.secrets, "old", now).secret_hash == row["secret_hash"]
    finally:
        await db.close()


async def _insert(db, row):
    kinds = {"xp": Json(), "policy": Json(), "buyer_ids": Json(), "supplier_ids": Json(), "roles": Json()}
    kinds |= {"create_time": UtcTime(), "update_time": UtcTime()}
    table = sa.table("api_clients", *(sa.column(name, kinds.get(name)) for name in row), schema=CLIENT_SECRETS.schema)
    values = {name: ([] if value == "[]" else {} if value == "{}" else value) for name, value in row.items()}
    async with db.transaction() as tx:
        await tx.execute(sa.insert(table), values)
