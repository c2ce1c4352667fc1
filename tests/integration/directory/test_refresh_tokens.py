"""Refresh tokens as they are stored: what ends them, how many hold side by side, when they are forgotten."""

import asyncio
from datetime import timedelta

import jwt
import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from libs.auth.user_tokens import generations_of
from libs.db import Database
from libs.errors import Kind
from services import roles
from services.directory.adapters.db.tables import REFRESH_TOKENS
from services.directory.adapters.db.tokens import refresh_tokens
from tests.integration.directory.test_tokens import by_password, refused, verifier
from tests.integration.directory.world import ACME, PASSWORD, given, group, member, profile, user
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2 as users

DAY = 24 * 60


def refreshed(token, client="shop", secret="", wanted=()):
    return pb.IssueTokenRequest(
        client_id=client, client_secret=secret, roles=wanted, refresh=pb.RefreshGrant(refresh_token=token)
    )


async def stored(settings):
    """All that the database holds of refresh tokens."""
    database = await Database.open(settings.database_url, settings.database_schema)
    try:
        async with database.reading() as tx:
            return [dict(row) for row in (await tx.execute(sa.select(REFRESH_TOKENS))).mappings()]
    finally:
        await database.close()


@pytest.fixture
async def shop(world):
    """A client that grants refresh tokens for a day; Anna has a role of her own, one by a group and one by her company."""
    await world.companies()
    await world.people(user("anna", roles=[roles.SHOPPER, roles.ORDER_READER]), user("bob"))
    await world.client(refresh_token_minutes=DAY, roles=[])
    await world.groups(group("staff"))
    await world.join(member("staff", "anna"))
    await world.profiles(profile("more", roles.ORDER_ADMIN, roles.USER_ADMIN), profile("all", roles.SHOPPER))
    await world.give(given("more", user_group_id="staff"), given("all", party=ACME))
    return world


async def test_who_has_signed_in_gets_tokens_without_a_password_for_as_long_as_the_client_says(shop, settings):
    first = await shop.tokens.IssueToken(by_password())
    until = shop.clock.now() + timedelta(minutes=DAY)
    assert first.refresh_expire_time.ToDatetime(tzinfo=until.tzinfo) == until
    for _ in range(3):
        shop.clock.advance(timedelta(hours=7))
        again = await shop.tokens.IssueToken(refreshed(first.refresh_token))
        assert (again.refresh_token, again.refresh_expire_time) == (first.refresh_token, first.refresh_expire_time)
        assert again.roles == first.roles
        anna = await verifier(shop).verify(again.access_token)
        assert (anna.user_id, anna.client_id, anna.groups) == ("anna", "shop", {"staff"})
    shop.clock.advance(timedelta(hours=3))
    assert (await refused(shop.tokens.IssueToken(refreshed(first.refresh_token)))).reason == "GRANT_INVALID"
    (row,) = await stored(settings)
    assert first.refresh_token not in str(row)


async def test_whatever_is_wrong_with_a_refresh_is_answered_alike_and_counted(shop):
    await shop.client("other", refresh_token_minutes=DAY)
    key = await shop.client("closed", secret=True, refresh_token_minutes=DAY)
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    secret_token = (await shop.tokens.IssueToken(by_password("closed", key))).refresh_token
    for wrong in (
        refreshed("guess"),
        refreshed(token + "x"),
        refreshed("x" * 100_000),
        refreshed("nul\0"),
        refreshed(token, "other"),
        refreshed(token, "nobody"),
        refreshed(token, "sh\0p"),
        refreshed(secret_token, "closed"),
        refreshed(secret_token, "closed", "guess"),
        refreshed(token, "closed", key),
    ):
        error = await refused(shop.tokens.IssueToken(wrong))
        assert (error.kind, error.reason, error.metadata) == (Kind.UNAUTHENTICATED, "GRANT_INVALID", {}), wrong
    assert (await shop.tokens.IssueToken(refreshed(secret_token, "closed", key))).access_token
    for _ in range(10):
        await refused(shop.tokens.IssueToken(refreshed("guess again")))
    assert (await refused(shop.tokens.IssueToken(refreshed("guess again")))).reason == "TOO_MANY_ATTEMPTS"
    assert (await shop.tokens.IssueToken(refreshed(token))).access_token


def _update(call, request, path):
    request.update_mask.CopyFrom(FieldMask(paths=[path]))
    return call(request)


def _user(world, path, **values):
    return _update(world.admin.users.UpdateUser, users.UpdateUserRequest(user=users.User(id="anna", **values)), path)


def _client(world, path, **values):
    changed = clients.UpdateApiClientRequest(api_client=clients.ApiClient(id="shop", **values))
    return _update(world.admin.clients.UpdateApiClient, changed, path)


ENDINGS = {
    "a role": lambda w: _user(w, "roles", roles=[roles.SHOPPER]),
    "the user's activity": lambda w: _user(w, "active", active=False),
    "the password": lambda w: _user(w, "password", password=PASSWORD + "!"),
    "the password, set": lambda w: w.admin.users.SetPassword(users.SetPasswordRequest(user_id="anna", password=PASSWORD)),
    "the user": lambda w: w.admin.users.DeleteUser(users.DeleteUserRequest(user_id="anna")),
    "a membership": lambda w: w.leave(member("staff", "anna")),
    "a profile of the group": lambda w: w.admin.profiles.UnassignSecurityProfiles(
        profiles.UnassignSecurityProfilesRequest(assignments=[given("more", user_group_id="staff")])
    ),
    "a profile of the company": lambda w: w.admin.profiles.UnassignSecurityProfiles(
        profiles.UnassignSecurityProfilesRequest(assignments=[given("all", party=ACME)])
    ),
    "a role of a profile": lambda w: _update(
        w.admin.profiles.UpdateSecurityProfile,
        profiles.UpdateSecurityProfileRequest(security_profile=profile("more", roles.ORDER_ADMIN)),
        "roles",
    ),
    "the company": lambda w: _update(
        w.admin.buyers.UpdateBuyer, buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id="acme", active=False)), "active"
    ),
    "the client's activity": lambda w: _client(w, "active", active=False),
    "the client's admission": lambda w: _client(w, "allow_any_buyer", allow_any_buyer=False),
    "the client's roles": lambda w: _client(w, "roles", roles=[roles.SHOPPER]),
    "the client's grant": lambda w: _client(w, "refresh_token_minutes", refresh_token_minutes=0),
    "the client's secret": lambda w: w.admin.clients.RotateSecret(clients.RotateSecretRequest(api_client_id="shop")),
    "the client": lambda w: w.admin.clients.DeleteApiClient(clients.DeleteApiClientRequest(api_client_id="shop")),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_refresh_token_ends_with(shop, ending):
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    assert (await shop.tokens.IssueToken(refreshed(token))).access_token
    await ENDINGS[ending](shop)
    error = await refused(shop.tokens.IssueToken(refreshed(token)))
    assert (error.kind, error.reason) == (Kind.UNAUTHENTICATED, "GRANT_INVALID")


async def test_who_was_taken_back_signs_in_anew(shop):
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    await _user(shop, "active", active=False)
    await _user(shop, "active", active=True)
    assert (await refused(shop.tokens.IssueToken(refreshed(token)))).reason == "GRANT_INVALID"
    again = (await shop.tokens.IssueToken(by_password())).refresh_token
    assert (await shop.tokens.IssueToken(refreshed(again))).access_token


async def test_a_client_that_grants_again_takes_none_of_those_that_it_has_ended(shop):
    given = await shop.tokens.IssueToken(by_password())
    check = verifier(shop)
    assert (await check.verify(given.access_token)).user_id == "anna"
    await _client(shop, "refresh_token_minutes", refresh_token_minutes=0)
    await _client(shop, "refresh_token_minutes", refresh_token_minutes=DAY)
    assert (await refused(shop.tokens.IssueToken(refreshed(given.refresh_token)))).reason == "GRANT_INVALID"
    again = (await shop.tokens.IssueToken(by_password())).refresh_token
    assert (await shop.tokens.IssueToken(refreshed(again))).access_token


async def test_what_gives_more_ends_no_refresh_token_and_the_next_access_token_has_it(shop):
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    await _user(shop, "roles", roles=[roles.SHOPPER, roles.ORDER_READER, roles.ADDRESS_ADMIN])
    assert roles.ADDRESS_ADMIN in (await shop.tokens.IssueToken(refreshed(token))).roles
    await _client(shop, "refresh_token_minutes", refresh_token_minutes=2 * DAY)
    assert (await shop.tokens.IssueToken(refreshed(token))).access_token


async def test_an_access_token_by_refresh_ends_as_others_do(shop):
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    await _user(shop, "first_name", first_name="Anna")
    made = await shop.tokens.IssueToken(refreshed(token))
    claims = jwt.decode(made.access_token, options={"verify_signature": False})
    assert generations_of(claims).user == 0
    await _user(shop, "roles", roles=[roles.SHOPPER])
    renewed = (await shop.tokens.IssueToken(by_password())).refresh_token
    claims = jwt.decode((await shop.tokens.IssueToken(refreshed(renewed))).access_token, options={"verify_signature": False})
    assert generations_of(claims).user == 1


async def test_tokens_of_who_was_deleted_do_not_come_back_with_a_user_of_the_same_id(shop, settings):
    token = (await shop.tokens.IssueToken(by_password())).refresh_token
    await shop.client("another", refresh_token_minutes=60 * DAY)
    long = (await shop.tokens.IssueToken(by_password("another"))).refresh_token
    await shop.leave(member("staff", "anna"))
    await shop.admin.users.DeleteUser(users.DeleteUserRequest(user_id="anna"))
    assert await stored(settings) == []
    assert (await refused(shop.tokens.IssueToken(refreshed(token)))).reason == "GRANT_INVALID"
    assert (await refused(shop.tokens.IssueToken(refreshed(long, "another")))).reason == "GRANT_INVALID"


async def test_of_one_user_and_client_the_newest_hold(shop, settings, monkeypatch):
    monkeypatch.setattr(refresh_tokens, "SIDE_BY_SIDE", 3)
    await shop.client("other", refresh_token_minutes=DAY)
    others = [await shop.tokens.IssueToken(by_password(name="bob")), await shop.tokens.IssueToken(by_password("other"))]
    tokens = []
    for _ in range(5):
        shop.clock.advance(timedelta(seconds=1))
        tokens.append((await shop.tokens.IssueToken(by_password())).refresh_token)
    for token in tokens[:2]:
        assert (await refused(shop.tokens.IssueToken(refreshed(token)))).reason == "GRANT_INVALID"
    for token in tokens[2:]:
        assert (await shop.tokens.IssueToken(refreshed(token))).access_token
    assert (await shop.tokens.IssueToken(refreshed(others[0].refresh_token))).access_token
    assert (await shop.tokens.IssueToken(refreshed(others[1].refresh_token, "other"))).access_token
    at_once = await asyncio.gather(*(shop.tokens.IssueToken(by_password()) for _ in range(6)))
    assert len({answer.refresh_token for answer in at_once}) == 6
    assert len([row for row in await stored(settings) if (row["user_id"], row["client_id"]) == ("anna", "shop")]) == 3


async def test_a_client_that_grants_none_answers_none(world, secret, settings):
    await world.companies()
    await world.people()
    await world.client()
    answer = await world.tokens.IssueToken(by_password())
    assert (answer.refresh_token, answer.HasField("refresh_expire_time")) == ("", False)
    await _client(world, "refresh_token_minutes", refresh_token_minutes=DAY)
    key = await world.client("robot", secret=True, refresh_token_minutes=DAY, default_user_id="anna")
    grant = pb.IssueTokenRequest(client_id="robot", client_secret=key, client_credentials=pb.ClientCredentialsGrant())
    assert (await world.tokens.IssueToken(grant)).refresh_token == ""
    assert await stored(settings) == []


async def test_a_refresh_is_so_many_statements_however_many_tokens_there_are(shop, app):
    tokens = [(await shop.tokens.IssueToken(by_password())).refresh_token for _ in range(3)]
    costs = set()
    for token in tokens:
        before = app.statements()
        await shop.tokens.IssueToken(refreshed(token))
        costs.add(app.statements() - before)
    assert len(costs) == 1


async def test_tokens_are_forgotten_when_their_time_is_over(shop, app, settings, monkeypatch):
    monkeypatch.setattr(refresh_tokens, "FORGOTTEN_AT_ONCE", 1)
    await shop.client("long", refresh_token_minutes=2 * DAY)
    for client in ("shop", "shop", "long"):
        kept = (await shop.tokens.IssueToken(by_password(client))).refresh_token
    forget = refresh_tokens.forgetting(app.database, shop.clock)
    await forget.once()
    assert len(await stored(settings)) == 3
    shop.clock.advance(timedelta(minutes=DAY))
    await forget.once()
    assert len(await stored(settings)) == 1
    assert (await shop.tokens.IssueToken(refreshed(kept, "long"))).access_token
    assert forget.name in {loop.name for loop in app.background}
