"""IssueToken, and the throttle of failed sign-ins, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from libs.auth import KeySet, TokenVerifier
from libs.clock import ManualClock
from libs.errors import Kind, WaybillError
from services import roles
from services.directory.application.issue_token import TOKEN_LENGTH, IssueToken
from services.directory.application.throttle import Throttle
from services.directory.domain.grants import Account, Client, Standing
from tests.support import keys

LIMIT, WINDOW, NAMES = 10, timedelta(minutes=1), 100
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = Client("shop", True, 30, "hash of s3cret", "robot", (), False, True, False, (), ())
PUBLIC = replace(SHOP, id="app", secret_hash=None)
ANNA = Account("anna", "Anna.B", "BUYER", "acme", True, True, (roles.SHOPPER,), "hash of open sesame")
ROBOT = replace(ANNA, id="robot", password_hash=None)


class Accounts:
    def __init__(self):
        self.clients = {"shop": SHOP, "app": PUBLIC}
        self.users = {"anna": ANNA, "robot": ROBOT}
        self.key = keys.signer("k1")
        self.standings = {}

    async def client(self, client_id):
        return self.clients.get(client_id)

    async def user(self, *, username="", user_id=""):
        return self.users.get(user_id or username.casefold())

    async def standing(self, user_id):
        return self.standings.get(user_id, Standing())

    async def signer(self, now):
        return self.key


class Secrets:
    """Counts what a check would cost."""

    def __init__(self):
        self.checks = 0

    async def verify(self, hashed, secret):
        self.checks += 1
        return hashed == f"hash of {secret}"


class World:
    def __init__(self):
        self.accounts, self.secrets, self.clock = Accounts(), Secrets(), ManualClock(NOW)
        throttle = Throttle(self.clock, LIMIT, WINDOW, NAMES)
        self.issue = IssueToken(self.accounts, self.secrets, self.clock, throttle, self.accounts)

    async def password(self, client="shop", secret="s3cret", name="anna", password="open sesame", wanted=()):
        return await self.issue.by_password(client, secret, name, password, wanted)

    async def credentials(self, client="shop", secret="s3cret", wanted=()):
        return await self.issue.by_client(client, secret, wanted)


@pytest.fixture
def world():
    return World()


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


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
    assert error.message == "client, secret, user or password do not hold"
    assert world.secrets.checks == 2


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


async def test_the_eleventh_failure_within_a_minute_must_wait(world):
    for i in range(LIMIT):
        # Case makes no new name.
        await refused(world.password(name="ANNA" if i % 2 else "anna", password="guess"))
        world.clock.advance(timedelta(seconds=2))
    error = await refused(world.password())
    assert (error.kind, error.reason) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert error.retry_after == timedelta(seconds=40)
    assert (await refused(world.password(name="bob"))).reason == "GRANT_INVALID"
    assert (await world.credentials()).roles
    world.clock.advance(timedelta(seconds=40))
    assert (await world.password()).roles


async def test_of_attempts_at_the_same_time_no_more_are_answered(world):
    class Slow(Secrets):
        """While this one is checked, ten others fail."""

        async def verify(self, hashed, secret):
            for _ in range(LIMIT):
                world.issue._throttle.failed("shop", "anna")
            return await super().verify(hashed, secret)

    world.issue._secrets = Slow()
    assert (await refused(world.password())).reason == "TOO_MANY_ATTEMPTS"


def test_the_throttle_forgets_who_failed_longest_ago():
    throttle = Throttle(ManualClock(NOW), LIMIT, WINDOW, NAMES)
    for _ in range(LIMIT):
        throttle.failed("shop", "anna")
    for i in range(NAMES - 1):
        throttle.failed("shop", f"user-{i}")
    with pytest.raises(WaybillError):
        throttle.check("shop", "anna")
    throttle.failed("shop", "one more")
    throttle.check("shop", "anna")


async def verified(world, token):
    async def key_set(revision):
        return KeySet([world.accounts.key.jwk()])

    return await TokenVerifier(key_set, lambda: NOW.timestamp()).verify(token)


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
