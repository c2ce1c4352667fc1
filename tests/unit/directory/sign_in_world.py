"""Signing in without a database: what IssueToken is built of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.auth import KeySet, TokenVerifier
from libs.clock import ManualClock
from libs.errors import Kind, WaybillError
from libs.ids import SequentialIds
from services import roles
from services.directory.application.tokens.access_tokens import AccessTokens, RefreshToken
from services.directory.application.tokens.issue_token import IssueToken
from services.directory.application.tokens.refresh_tokens import digest_of
from services.directory.application.tokens.throttle import Limits, Origin, Tally, Throttle
from services.directory.domain.tokens.client_secrets import ClientSecret, clue_of
from services.directory.domain.tokens.grants import Account, Client, RefreshGrant, Standing, generations_of
from tests.support import keys

LIMIT, WINDOW = 10, timedelta(minutes=1)
LIMITS = Limits(pair=LIMIT, source=20, name=40, window=WINDOW, known=timedelta(days=30))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_secret(text, end_time=None):
    """A secret of a client, whose hash shows it."""
    return ClientSecret(text, "", clue_of(text), f"hash of {text}", NOW, end_time)


SHOP = Client("shop", True, 30, (a_secret("s3cret"),), "robot", (), False, True, False, (), ())
PUBLIC = replace(SHOP, id="app", secrets=(), refresh_minutes=1_000)
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

    async def verify(self, hashed, secret, source=""):
        self.checks += 1
        return hashed == f"hash of {secret}"


class SignIns:
    """Remembers in memory what the directory keeps in its database."""

    def __init__(self):
        self.rows = {}
        self.full = False
        self.refusing = []
        """What the log of acts says."""

    async def tallies(self, keys, now):
        return {key: self.rows[key] for key in keys if key in self.rows and self.rows[key].end > now}

    async def count(self, keys, now, end):
        for key in keys:
            old = self.rows.get(key)
            counts = old is not None and old.end > now
            self.rows[key] = Tally(old.attempts + 1, old.end) if counts else Tally(1, end)
        self.refusing += [refusing.who for key, refusing in keys.items() if self.rows[key].attempts == refusing.limit]
        return {key: self.rows[key].attempts for key in keys}

    async def remember(self, key, now, end):
        if self.full:
            raise WaybillError(Kind.UNAVAILABLE, "STORAGE_FULL", "no room")
        self.rows[key] = Tally(1, end)


HOME, AWAY = Origin("203.0.113.9", False), Origin("198.51.100.1", False)


class Refreshing:
    """Gives refresh tokens, and keeps what they stand for in memory."""

    def __init__(self, clock):
        self.rows = {}
        self._clock = clock

    async def give(self, client, user, wanted):
        token, until = f"refresh-{len(self.rows)}", self.now() + timedelta(minutes=client.refresh_minutes)
        given = RefreshGrant(user.id, client.id, list(wanted), generations_of(client, user), self.now(), until)
        self.rows[digest_of(token)] = given
        return RefreshToken(token, until)

    async def find(self, digest):
        return self.rows.get(digest)

    def now(self):
        return self._clock.now()


class World:
    def __init__(self):
        self.accounts, self.secrets, self.clock = Accounts(), Secrets(), ManualClock(NOW)
        self.sign_ins = SignIns()
        self.access = AccessTokens(self.accounts, self.accounts, self.clock, SequentialIds())
        throttle = Throttle(self.clock, self.sign_ins, LIMITS)
        self.issue = IssueToken(self.accounts, self.secrets, throttle, self.access, Refreshing(self.clock))

    async def password(self, client="shop", secret="s3cret", name="anna", password="open sesame", wanted=(), origin=HOME):
        return await self.issue.by_password(client, secret, name, password, wanted, origin)

    async def credentials(self, client="shop", secret="s3cret", wanted=(), origin=HOME):
        return await self.issue.by_client(client, secret, wanted, origin)

    async def sign_in(self, client="app", secret="", **more):
        return await self.password(client, secret, **more)

    async def refresh(self, token, client="app", secret="", wanted=(), origin=HOME):
        return await self.issue.by_refresh(client, secret, token, wanted, origin)


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def verified(world, token):
    async def key_set(revision):
        return KeySet([world.accounts.key.jwk()])

    return await TokenVerifier(key_set, lambda: world.clock.now().timestamp()).verify(token)
