import asyncio
import base64
import json
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import grpc
import jwt
import pytest
import sqlalchemy as sa
from argon2.exceptions import VerifyMismatchError

from libs.auth import KeySet, PartyKind, TokenVerifier
from libs.errors import Kind, WaybillError
from libs.rpc.fairness.limits import OutsideLimits
from services import roles
from services.directory.adapters.db.tables import SIGN_INS
from services.directory.main import build
from tests.integration.directory.world import PASSWORD, World, user
from tests.integration.libs.calls import info_of
from tests.support import keys
from tests.support.principals import seller
from tests.support.server import runtime_for, serving
from waybill.directory.v1 import token_service_pb2 as pb


def by_password(client="shop", secret="", name="anna", password=PASSWORD, wanted=()):
    return pb.IssueTokenRequest(
        client_id=client, client_secret=secret, roles=wanted, password=pb.PasswordGrant(username=name, password=password)
    )


def by_secret(client, secret, wanted=()):
    return pb.IssueTokenRequest(
        client_id=client, client_secret=secret, roles=wanted, client_credentials=pb.ClientCredentialsGrant()
    )


def verifier(world):
    """As other services have it: fed from GetKeySet."""

    async def key_set(revision):
        answer = await world.tokens.GetKeySet(pb.GetKeySetRequest(revision=revision))
        if answer.unchanged:
            return None
        shown = [{"kid": k.kid, "kty": k.kty, "n": k.n, "e": k.e, "alg": k.alg, "use": k.use} for k in answer.keys]
        return KeySet(shown, answer.audience, answer.revision)

    return TokenVerifier(key_set, lambda: world.clock.now().timestamp())


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def test_the_owner_gets_a_token_by_the_one_time_secret(world, secret):
    answer = await world.tokens.IssueToken(by_secret(secret.client_id, secret.client_secret))
    assert (answer.token_type, answer.roles) == ("Bearer", [roles.FULL_ACCESS])
    owner = await verifier(world).verify(answer.access_token)
    assert (owner.party_kind, owner.party_id, owner.user_id) == (PartyKind.SELLER, "seller", "owner")
    assert owner.client_id == secret.client_id


async def test_a_user_signs_in_whatever_the_case_of_its_name(world):
    await world.companies()
    await world.people(user("anna", username="Anna.Ärger"))
    await world.client(access_token_minutes=20)
    answer = await world.tokens.IssueToken(by_password(name="ANNA.ÄRGER"))
    assert answer.expire_time.ToDatetime(tzinfo=world.clock.now().tzinfo) == world.clock.now() + timedelta(minutes=20)
    anna = await verifier(world).verify(answer.access_token)
    assert (anna.party_kind, anna.party_id, anna.roles) == (PartyKind.BUYER, "acme", {roles.SHOPPER})
    decomposed = await world.tokens.IssueToken(by_password(name="anna.a\u0308rger"))
    assert (await verifier(world).verify(decomposed.access_token)).user_id == "anna"


async def test_wrong_grants_are_refused_alike(world, secret):
    await world.companies()
    await world.people()
    await world.client()
    key = await world.client("closed", secret=True)
    for wrong in (
        by_password(password="guess"),
        by_password(name="nobody"),
        by_password(client="nobody"),
        by_password(name="an\0na"),
        by_password(client="sh\0p"),
        by_password("closed"),
        by_password("closed", "guess"),
        by_password(name="sven"),
        by_password(name="owner"),
        by_secret("shop", "guess"),
        by_secret("closed", key),
        by_secret(secret.client_id, "guess"),
        by_secret("nobody", "guess"),
    ):
        error = await refused(world.tokens.IssueToken(wrong))
        assert (error.kind, error.reason, error.metadata) == (Kind.UNAUTHENTICATED, "GRANT_INVALID", {}), wrong
    assert (await world.tokens.IssueToken(by_password("closed", key))).roles == [roles.SHOPPER]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.IssueTokenRequest(), ["client_id", "grant"]),
        (pb.IssueTokenRequest(client_id="shop"), ["grant"]),
        (by_password(client="", name="", password=""), ["client_id", "password.username", "password.password"]),
        (by_secret("", ""), ["client_id", "client_secret"]),
        (pb.IssueTokenRequest(refresh=pb.RefreshGrant()), ["client_id", "refresh.refresh_token"]),
    ],
)
async def test_every_required_field_that_is_empty_is_named_and_is_no_failed_attempt(world, request_, fields):
    for _ in range(20):
        error = await refused(world.tokens.IssueToken(request_))
        assert [(f.field, f.reason) for f in error.fields] == [(field, "FIELD_REQUIRED") for field in fields]


async def test_roles_are_what_is_held_and_allowed_and_wanted(world):
    await world.companies()
    await world.people(user("anna", roles=[roles.SHOPPER, roles.ORDER_READER, roles.ME_ADDRESS_ADMIN]))
    await world.client(roles=[roles.SHOPPER, roles.ORDER_READER])
    answer = await world.tokens.IssueToken(by_password())
    assert answer.roles == [roles.ORDER_READER, roles.SHOPPER]
    assert (await world.tokens.IssueToken(by_password(wanted=[roles.SHOPPER]))).roles == [roles.SHOPPER]
    error = await refused(world.tokens.IssueToken(by_password(wanted=[roles.ME_ADDRESS_ADMIN])))
    assert (error.kind, error.reason) == (Kind.DENIED, "ROLE_MISSING")


async def test_a_client_admits_only_the_companies_that_it_names(world):
    await world.companies()
    await world.people()
    await world.client(allow_any_buyer=False, buyer_ids=["globex"], supplier_ids=["bolt"])
    assert (await refused(world.tokens.IssueToken(by_password()))).reason == "GRANT_INVALID"
    for name in ("gil", "sven"):
        assert (await world.tokens.IssueToken(by_password(name=name))).access_token


async def test_failed_sign_ins_are_throttled(world):
    await world.companies()
    await world.people()
    await world.client()
    for _ in range(10):
        assert (await refused(world.tokens.IssueToken(by_password(password="guess")))).reason == "GRANT_INVALID"
    error = await refused(world.tokens.IssueToken(by_password()))
    assert (error.kind, error.reason) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert error.retry_after == timedelta(minutes=1)
    world.clock.advance(timedelta(minutes=1))
    assert (await world.tokens.IssueToken(by_password())).access_token


@pytest.fixture
async def replicas(settings, secret, clock):
    """Two of the directory, behind a proxy that says where calls come from."""
    limits = OutsideLimits(trusted_proxies="127.0.0.1,::1")
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            app = await build(settings, runtime_for("directory", clock=clock))
            made.append(await stack.enter_async_context(serving(app, limits=limits)))
        yield made


def issue(served, source, request):
    """IssueToken as it comes from there."""
    call = served.channel.unary_unary(
        "/waybill.directory.v1.TokenService/IssueToken",
        request_serializer=pb.IssueTokenRequest.SerializeToString,
        response_deserializer=pb.IssueTokenResponse.FromString,
    )
    return call(request, metadata=(("x-forwarded-for", source),))


async def reason(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    info = info_of(error.value)
    return info.reason, dict(info.metadata)


async def test_replicas_count_failures_together_and_who_comes_from_elsewhere_gets_in(replicas, clock):
    world = World(replicas[0], clock)
    await world.companies()
    await world.people()
    await world.client()
    for number in range(10):
        assert await reason(issue(replicas[number % 2], "203.0.113.9", by_password(password="guess"))) == ("GRANT_INVALID", {})
    for served in replicas:
        assert await reason(issue(served, "203.0.113.9", by_password())) == ("TOO_MANY_ATTEMPTS", {"limit": "user"})
        assert (await issue(served, "198.51.100.1", by_password())).access_token
    clock.advance(timedelta(minutes=1))
    assert (await issue(replicas[0], "203.0.113.9", by_password())).access_token


async def test_the_owner_is_not_locked_out_by_who_tries_its_secret(replicas, secret):
    for number in range(10):
        guess = by_secret(secret.client_id, "guess")
        assert await reason(issue(replicas[number % 2], "203.0.113.9", guess)) == ("GRANT_INVALID", {})
    right = by_secret(secret.client_id, secret.client_secret)
    assert (await reason(issue(replicas[0], "203.0.113.9", right)))[0] == "TOO_MANY_ATTEMPTS"
    assert (await issue(replicas[0], "198.51.100.1", right)).access_token


async def test_a_flood_of_sign_ins_from_one_address_costs_few_hashes(replicas, monkeypatch):
    checks = 0

    def counted(self, hashed, secret):
        nonlocal checks
        checks += 1
        raise VerifyMismatchError

    monkeypatch.setattr("argon2.PasswordHasher.verify", counted)
    outcomes = Counter()
    for number in range(150):
        found = await reason(issue(replicas[0], "203.0.113.9", by_password(client=f"c{number}", name=f"u{number}")))
        outcomes[found[0]] += 1
    assert (outcomes, checks) == ({"GRANT_INVALID": 20, "TOO_MANY_ATTEMPTS": 130}, 20)
    # One that comes all at once neither.
    checks = 0
    flood = [reason(issue(replicas[1], "203.0.113.10", by_password(client=f"c{n}", name=f"u{n}"))) for n in range(150)]
    assert {found[0] for found in await asyncio.gather(*flood)} <= {"GRANT_INVALID", "TOO_MANY_ATTEMPTS", "TOO_MANY_CALLS"}
    assert checks < 50


async def test_what_counts_no_more_is_swept(app, world, clock):
    for name in ("ada", "bob"):
        await refused(world.tokens.IssueToken(by_password(name=name, password="guess")))
    async with app.database.reading() as tx:
        before = len((await tx.execute(sa.select(SIGN_INS.c.key))).all())
    assert before == 5
    clock.advance(timedelta(minutes=2))
    [sweep] = [loop for loop in app.background if loop.name == "sweep_sign_ins"]
    await sweep.once()
    async with app.database.reading() as tx:
        assert (await tx.execute(sa.select(SIGN_INS.c.key))).all() == []


async def test_expired_forged_and_unsigned_tokens_are_refused(world, secret):
    check = verifier(world)
    good = (await world.tokens.IssueToken(by_secret(secret.client_id, secret.client_secret))).access_token
    header, body, signature = good.split(".")
    kid = jwt.get_unverified_header(good)["kid"]
    claims = jwt.decode(good, options={"verify_signature": False})
    (key,) = (await world.tokens.GetKeySet(pb.GetKeySetRequest())).keys

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    forged = {
        "no signature": f"{header}.{body}.",
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{body}.",
        "alg none, signed": f"{part({'alg': 'None', 'typ': 'JWT', 'kid': kid})}.{body}.{signature}",
        "public key as secret": jwt.encode(claims, key.n, algorithm="HS256", headers={"kid": kid}),
        "other key": keys.signer(kid).issue(seller(), timedelta(hours=1), world.clock.now()),
        "unknown key": keys.signer("k9").issue(seller(), timedelta(hours=1), world.clock.now()),
        "other claims": f"{header}.{part({**claims, 'party': 'globex'})}.{signature}",
        "no token": "hello",
    }
    for what, token in forged.items():
        assert (await refused(check.verify(token))).reason == "TOKEN_INVALID", what
    assert (await check.verify(good)).user_id == "owner"
    world.clock.advance(timedelta(minutes=61))
    assert (await refused(check.verify(good))).reason == "TOKEN_EXPIRED"


async def test_the_key_set_shows_public_halves_only(world):
    answer = await world.tokens.GetKeySet(pb.GetKeySetRequest())
    (key,) = answer.keys
    assert (key.kty, key.e, key.alg, key.use) == ("RSA", "AQAB", "RS256", "sig")
    assert len(base64.urlsafe_b64decode(key.n + "==")) == 256
    assert b"PRIVATE" not in answer.SerializeToString()


async def test_a_token_is_for_the_public_url_when_there_is_one(settings, secret, clock):
    app = await build(replace(settings, public_url="https://shop.example"), runtime_for("directory", clock=clock))
    async with serving(app) as served:
        world = World(served, clock)
        answer = await world.tokens.IssueToken(by_secret(secret.client_id, secret.client_secret))
        assert (await verifier(world).verify(answer.access_token)).user_id == "owner"
    claims = jwt.decode(answer.access_token, options={"verify_signature": False})
    assert (claims["aud"], claims["usr"], claims["usrtype"]) == ("https://shop.example/ordercloud", "owner", "admin")
