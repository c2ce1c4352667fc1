"""IssueToken without a database."""

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from libs.auth import KeySet, TokenVerifier
from libs.errors import Kind
from services import roles
from services.directory.application.tokens.access_tokens import TOKEN_LENGTH
from services.directory.domain.tokens.grants import Standing
from tests.unit.directory.sign_in_world import ANNA, LIMIT, NOW, PUBLIC, SHOP, World, refused, verified


@pytest.fixture
def world():
    return World()


async def test_a_token_says_who_it_is_and_lasts_as_long_as_the_client_says(world):
    made = await world.password()

    async def key_set(revision):
        return KeySet([world.accounts.key.jwk()])

    principal = await TokenVerifier(key_set, lambda: world.clock.now().timestamp()).verify(made.token)
    assert (principal.user_id, principal.party_id, principal.client_id) == ("anna", "acme", "shop")
    assert principal.roles == made.roles == {roles.SHOPPER}
    assert made.expire_time == NOW + timedelta(minutes=30)
    assert jwt.decode(made.token, options={"verify_signature": False})["usr"] == "Anna.B"


async def test_a_public_client_takes_passwords_but_no_credentials(world):
    assert (await world.password(client="app", secret="")).roles
    assert (await refused(world.credentials(client="app", secret=""))).reason == "GRANT_INVALID"


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": "nobody"},
        {"secret": "guess"},
        {"secret": ""},
        {"name": "nobody"},
        {"password": "guess"},
        {"password": ""},
        {"name": "robot", "password": ""},
    ],
)
async def test_whatever_is_wrong_gives_the_same_answer_at_the_same_cost(world, wrong):
    error = await refused(world.password(**wrong))
    assert (error.kind, error.reason, error.metadata) == (Kind.UNAUTHENTICATED, "GRANT_INVALID", {})
    assert error.message == "client, secret, user, password or refresh token do not hold"
    # What is sent decides, and not what is known: no secret is looked at for none.
    assert world.secrets.checks == (1 if wrong.get("secret") == "" else 2)


@pytest.mark.parametrize("client", ["shop", "app", "nobody"])
@pytest.mark.parametrize("secret", ["", "s3cret", "guess"])
async def test_no_client_is_known_by_what_a_check_costs(world, client, secret):
    await refused(world.password(client=client, secret=secret, password="guess"))
    assert world.secrets.checks == 1 + bool(secret)


async def test_an_unknown_user_and_an_unknown_client_cost_as_much_as_known_ones(world):
    for wrong in ({}, {"name": "nobody"}, {"client": "nobody"}, {"client": "nobody", "name": "nobody"}):
        world.secrets.checks = 0
        if wrong:
            await refused(world.password(**wrong))
        else:
            await world.password()
        assert world.secrets.checks == 2, wrong


@pytest.mark.parametrize("what", ["client", "user", "company", "admission"])
async def test_what_is_inactive_or_not_admitted_is_answered_like_a_wrong_password(world, what):
    if what == "client":
        world.accounts.clients["shop"] = replace(SHOP, active=False)
    if what == "user":
        world.accounts.users["anna"] = replace(ANNA, active=False)
    if what == "company":
        world.accounts.users["anna"] = replace(ANNA, party_active=False)
    if what == "admission":
        world.accounts.clients["shop"] = replace(SHOP, any_buyer=False, buyer_ids=("globex",))
    for _ in range(LIMIT):
        assert (await refused(world.password())).reason == "GRANT_INVALID"
    # The throttle must not show that a password is right either.
    assert (await refused(world.password())).reason == "TOO_MANY_ATTEMPTS"


async def test_a_role_that_is_not_available_is_named(world):
    error = await refused(world.password(wanted=[roles.SHOPPER, roles.ORDER_ADMIN]))
    assert (error.kind, error.reason) == (Kind.DENIED, "ROLE_MISSING")
    assert error.metadata == {"role": roles.ORDER_ADMIN}


async def test_a_token_carries_what_profiles_give_and_the_groups_of_the_user(world):
    world.accounts.standings["anna"] = Standing(frozenset({roles.ORDER_READER}), frozenset({"buyers", "approvers"}))
    anna = await verified(world, (await world.password()).token)
    assert (anna.roles, anna.groups) == ({roles.SHOPPER, roles.ORDER_READER}, {"buyers", "approvers"})
    bare = await verified(world, (await world.password(wanted=[roles.ORDER_READER])).token)
    assert (bare.roles, bare.groups) == ({roles.ORDER_READER}, {"buyers", "approvers"})


async def test_groups_travel_as_long_as_the_token_stays_below_its_length_and_beyond_none_do(world):
    fit: list[bool] = []
    for count in range(1, 60):
        groups = frozenset(f"{i:0100}" for i in range(count))
        world.accounts.standings["anna"] = Standing(frozenset(), groups)
        made = await world.password()
        anna = await verified(world, made.token)
        assert len(made.token) < TOKEN_LENGTH
        assert anna.groups in (groups, None)
        fit.append(anna.groups is not None)
    assert fit == sorted(fit, reverse=True)
    assert 20 < sum(fit) < 30
    world.accounts.standings["anna"] = Standing(frozenset(), None)
    assert (await verified(world, (await world.password()).token)).groups is None


@pytest.mark.parametrize(
    ("own", "given", "least", "lacking"),
    [
        ((roles.SHOPPER,), (), (roles.SHOPPER,), ""),
        ((roles.SHOPPER,), (roles.ORDER_READER,), (roles.ORDER_READER, roles.SHOPPER), ""),
        ((roles.SHOPPER,), (), (roles.SHOPPER, roles.ORDER_READER), roles.ORDER_READER),
        ((), (), (roles.SHOPPER,), roles.SHOPPER),
        ((roles.FULL_ACCESS,), (), (roles.SHOPPER, roles.ORDER_READER), ""),
        ((), (roles.FULL_ACCESS,), (roles.SHOPPER,), ""),
        ((roles.SHOPPER,), (), (roles.FULL_ACCESS,), roles.FULL_ACCESS),
    ],
)
async def test_who_lacks_a_role_that_a_client_asks_of_everyone_is_refused(world, own, given, least, lacking):
    world.accounts.clients["app"] = replace(PUBLIC, minimum_roles=least)
    world.accounts.users["anna"] = replace(ANNA, roles=own)
    world.accounts.standings["anna"] = Standing(frozenset(given))
    if not lacking:
        assert (await world.password("app")).token
        return
    error = await refused(world.password("app"))
    assert (error.kind, error.reason, error.metadata) == (Kind.DENIED, "ROLE_MISSING", {"role": lacking})
    assert (await refused(world.password("app", password="guess"))).reason == "GRANT_INVALID"


async def test_the_least_of_a_client_is_what_the_user_holds_and_not_what_the_token_carries(world):
    world.accounts.clients["app"] = replace(PUBLIC, roles=(roles.ORDER_READER,), minimum_roles=(roles.SHOPPER,))
    assert (await world.password("app")).roles == frozenset()
