"""KeyService, and what its changes mean for tokens."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
import sqlalchemy as sa

from libs.auth import TokenSigner
from libs.db import Database
from libs.errors import Kind, WaybillError
from services import roles
from services.directory.adapters.db.tables import SIGNING_KEYS
from services.directory.adapters.key_material import about
from services.directory.domain.tokens.signing_keys import LAST_TOKEN
from services.directory.main import build
from tests.integration.directory.test_tokens import by_secret, refused, verifier
from tests.integration.directory.world import World
from tests.support.principals import buyer, seller
from tests.support.sealing import SEALING
from tests.support.server import runtime_for, serving
from waybill.directory.v1 import key_service_pb2 as pb
from waybill.directory.v1 import token_service_pb2 as tokens

LEAD = timedelta(seconds=60)


def word(key):
    return pb.SigningKeyState.Name(key.state).removeprefix("SIGNING_KEY_STATE_")


async def states(world):
    return {key.kid: word(key) for key in (await world.admin.keys.ListKeys(pb.ListKeysRequest())).keys}


async def rotate(world, request_id=""):
    return (await world.admin.keys.RotateKey(pb.RotateKeyRequest(request_id=request_id))).key


async def withdraw(world, kid, request_id=""):
    return await world.admin.keys.WithdrawKey(pb.WithdrawKeyRequest(kid=kid, request_id=request_id))


async def token(world, secret):
    """A token of the owner, and the key that has signed it."""
    issued = await world.tokens.IssueToken(by_secret(secret.client_id, secret.client_secret))
    return issued.access_token, jwt.get_unverified_header(issued.access_token)["kid"]


async def shown(world):
    return [key.kid for key in (await world.tokens.GetKeySet(tokens.GetKeySetRequest())).keys]


async def test_a_rotation_publishes_before_it_signs_and_the_former_key_verifies_until_its_last_token_ends(world, secret):
    check = verifier(world)
    old_token, first = await token(world, secret)
    new = await rotate(world)
    assert await states(world) == {first: "SIGNING", new.kid: "PUBLISHED"}
    assert sorted(await shown(world)) == sorted([first, new.kid])
    assert (await token(world, secret))[1] == first
    world.clock.advance(LEAD)
    new_token, kid = await token(world, secret)
    assert kid == new.kid
    for good in (old_token, new_token):
        assert (await check.verify(good)).user_id == "owner"
    assert await states(world) == {first: "VERIFYING", new.kid: "SIGNING"}
    world.clock.advance(LAST_TOKEN)
    assert await states(world) == {first: "RETIRED", new.kid: "SIGNING"}
    assert await shown(world) == [new.kid]


async def test_a_retired_key_verifies_nothing_whatever_time_its_token_names(world, secret, settings):
    check = verifier(world)
    _, first = await token(world, secret)
    long_token = await forged(settings, first, world.clock.now())
    assert (await check.verify(long_token)).user_id == "admin"
    await rotate(world)
    world.clock.advance(LEAD + LAST_TOKEN)
    await check.refresh()
    assert (await refused(check.verify(long_token))).reason == "TOKEN_INVALID"


async def forged(settings, kid, now):
    """A token that whoever has read the private key, and the key that seals it, could make: good for a year."""
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        sealed = (await tx.execute(sa.select(SIGNING_KEYS.c.private_pem).where(SIGNING_KEYS.c.kid == kid))).scalar_one()
    await database.close()
    pem = SEALING.open(sealed, about(kid))
    return TokenSigner(pem, kid).issue(seller(), timedelta(days=365), now)


async def test_a_second_rotation_waits_for_the_first(world, secret):
    first = await rotate(world)
    error = await refused(rotate(world))
    assert (error.kind, error.reason, error.metadata["key"]) == (Kind.PRECONDITION, "KEY_ROTATION_RUNNING", first.kid)
    world.clock.advance(LEAD)
    second = await rotate(world)
    assert await states(world) == {**await states(world), first.kid: "SIGNING", second.kid: "PUBLISHED"}


async def test_a_repeated_request_makes_no_other_key(world, secret):
    first = await rotate(world, "r1")
    world.clock.advance(LEAD)
    again = await rotate(world, "r1")
    assert again.kid == first.kid
    assert len(await states(world)) == 2
    await withdraw(world, first.kid, "w1")
    before = await states(world)
    await withdraw(world, first.kid, "w1")
    assert await states(world) == before


async def test_of_rotations_at_the_same_time_one_makes_a_key(world, secret):
    done = await asyncio.gather(*(rotate(world) for _ in range(4)), return_exceptions=True)
    assert sorted(getattr(one, "reason", "") for one in done) == ["", *["KEY_ROTATION_RUNNING"] * 3]
    assert sorted((await states(world)).values()) == ["PUBLISHED", "SIGNING"]


async def test_a_withdrawn_key_ends_its_tokens_and_another_signs_at_once(world, secret, settings):
    check = verifier(world)
    old_token, first = await token(world, secret)
    assert (await check.verify(old_token)).user_id == "owner"
    answer = await withdraw(world, first)
    assert (word(answer.key), word(answer.signing_key)) == ("WITHDRAWN", "SIGNING")
    await check.refresh()
    error = await refused(check.verify(old_token))
    assert (error.kind, error.reason) == (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
    new_token, kid = await token(world, secret)
    assert (kid, await shown(world)) == (answer.signing_key.kid, [kid])
    assert (await check.verify(new_token)).user_id == "owner"
    assert await privates(settings) == {first: False, kid: True}


async def privates(settings):
    """By key: whether what is secret of it is stored."""
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        rows = (await tx.execute(sa.select(SIGNING_KEYS.c.kid, SIGNING_KEYS.c.private_pem))).all()
    await database.close()
    return {row.kid: bool(row.private_pem) for row in rows}


async def test_withdrawing_the_published_key_leaves_the_other_signing(world, secret):
    _, first = await token(world, secret)
    new = await rotate(world)
    answer = await withdraw(world, new.kid)
    assert (answer.signing_key.kid, answer.signing_key.HasField("retire_time")) == (first, False)
    world.clock.advance(LEAD + LAST_TOKEN)
    assert await states(world) == {first: "SIGNING", new.kid: "WITHDRAWN"}


async def test_every_replica_signs_with_the_key_that_the_database_names(settings, secret, clock):
    apps = [await build(settings, runtime_for("directory", clock=clock)) for _ in range(2)]
    async with serving(apps[0]) as one, serving(apps[1]) as other:
        first, second = World(one, clock), World(other, clock)
        old_token, kid = await token(second, secret)
        answer = await withdraw(first, kid)
        assert (await token(second, secret))[1] == answer.signing_key.kid
        check = verifier(second)
        assert (await refused(check.verify(old_token))).reason == "TOKEN_INVALID"


async def test_a_key_set_that_is_known_is_answered_without_keys(world, secret):
    first = await world.tokens.GetKeySet(tokens.GetKeySetRequest())
    same = await world.tokens.GetKeySet(tokens.GetKeySetRequest(revision=first.revision))
    assert (same.unchanged, list(same.keys), same.revision) == (True, [], first.revision)
    await rotate(world)
    other = await world.tokens.GetKeySet(tokens.GetKeySetRequest(revision=first.revision))
    assert (other.unchanged, len(other.keys)) == (False, 2)


async def test_a_question_about_a_known_key_set_costs_one_statement(world, secret):
    revision = (await world.tokens.GetKeySet(tokens.GetKeySetRequest())).revision
    before = world.served.statements
    await world.tokens.GetKeySet(tokens.GetKeySetRequest(revision=revision))
    assert world.served.statements == before + 1


async def test_whoever_keeps_keys_in_the_same_process_hears_of_a_change_before_its_caller(app, clock, secret):
    heard = []

    async def listen():
        heard.append("heard")
        raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "the directory did not answer")

    app.key_changes.listeners.append(listen)
    async with serving(app) as served:
        world = World(served, clock)
        new = await rotate(world)
        assert heard == ["heard"]
        await withdraw(world, new.kid)
        assert heard == ["heard", "heard"]


async def test_a_lead_of_nothing_signs_at_once(settings, secret, clock):
    app = await build(replace(settings, key_lead=0.0), runtime_for("directory", clock=clock))
    async with serving(app) as served:
        assert word(await rotate(World(served, clock))) == "SIGNING"


@pytest.mark.parametrize(
    ("caller", "reason"), [(buyer(roles.OPERATIONS_ADMIN), "PARTY_NOT_ADMITTED"), (seller(roles.USER_ADMIN), "ROLE_MISSING")]
)
async def test_keys_are_for_operators_of_the_seller_alone(world, caller, reason):
    keys = world.calls(caller).keys
    for call in (
        keys.ListKeys(pb.ListKeysRequest()),
        keys.RotateKey(pb.RotateKeyRequest()),
        keys.WithdrawKey(pb.WithdrawKeyRequest(kid="k")),
    ):
        assert (await refused(call)).reason == reason
    operator = world.calls(seller(roles.OPERATIONS_ADMIN)).keys
    assert len((await operator.ListKeys(pb.ListKeysRequest())).keys) == 1


async def test_a_key_that_there_is_not_is_not_found(world):
    assert (await refused(withdraw(world, "key_none"))).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(withdraw(world, "no id!"))).kind is Kind.INVALID
