"""IssueToken: password and client-credentials grants. One reason for whatever is wrong, so that nobody can probe."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from libs.auth import PartyKind, Principal, TokenSigner
from libs.clock import Clock
from libs.errors import Kind, WaybillError
from services.directory.domain.access import client_admits, token_roles

FAILURES = 10
"""Failed attempts per client and user name that are answered within a minute."""


@dataclass(frozen=True, slots=True)
class Client:
    """An API client as a grant looks at it."""

    id: str
    active: bool
    minutes: int
    secret_hash: str | None
    default_user_id: str
    roles: Sequence[str]
    seller: bool
    any_buyer: bool
    any_supplier: bool
    buyer_ids: Sequence[str]
    supplier_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Account:
    """A user as a grant looks at it."""

    id: str
    party_kind: str
    party_id: str
    party_active: bool
    active: bool
    roles: Sequence[str]
    password_hash: str | None


class Accounts(Protocol):
    """Where clients, users and the signing key are."""

    async def client(self, client_id: str) -> Client | None: ...
    async def user(self, *, username: str = "", user_id: str = "") -> Account | None: ...
    async def signer(self) -> TokenSigner: ...


class Secrets(Protocol):
    """Checks secrets."""

    async def verify(self, hashed: str | None, secret: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A token."""

    token: str
    expire_time: datetime
    roles: frozenset[str]


def _refused() -> WaybillError:
    return WaybillError(Kind.UNAUTHENTICATED, "GRANT_INVALID", "client, secret, user or password do not hold")


class IssueToken:
    """Checks a grant and signs a token."""

    def __init__(self, accounts: Accounts, secrets: Secrets, clock: Clock) -> None:
        self._accounts = accounts
        self._secrets = secrets
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    async def by_password(
        self, client_id: str, client_secret: str, username: str, password: str, wanted: Sequence[str]
    ) -> Issued:
        """For a user who signs in."""
        self._throttle(client_id, username)
        client = await self._accounts.client(client_id)
        user = await self._accounts.user(username=username)
        secret_ok = client is not None and (
            client.secret_hash is None or await self._secrets.verify(client.secret_hash, client_secret)
        )
        password_ok = await self._secrets.verify(user.password_hash if user else None, password)
        if client is None or user is None or not (secret_ok and password_ok):
            self._note(client_id, username)
            raise _refused()
        return await self._issue(client, user, wanted)

    async def by_client(self, client_id: str, client_secret: str, wanted: Sequence[str]) -> Issued:
        """For a program: acts as the client's default user."""
        self._throttle(client_id, "")
        client = await self._accounts.client(client_id)
        ok = await self._secrets.verify(client.secret_hash if client else None, client_secret)
        if client is None or not ok or not client.default_user_id:
            self._note(client_id, "")
            raise _refused()
        user = await self._accounts.user(user_id=client.default_user_id)
        if user is None:
            raise _refused()
        return await self._issue(client, user, wanted)

    async def _issue(self, client: Client, user: Account, wanted: Sequence[str]) -> Issued:
        admitted = client_admits(
            user.party_kind, user.party_id, seller=client.seller, any_buyer=client.any_buyer,
            any_supplier=client.any_supplier, buyer_ids=client.buyer_ids, supplier_ids=client.supplier_ids,
        )  # fmt: skip
        if not (client.active and user.active and user.party_active and admitted):
            raise _refused()
        roles = token_roles(user.roles, client.roles, wanted)
        if roles is None:
            raise WaybillError(Kind.DENIED, "ROLE_NOT_AVAILABLE", "a role that is wanted is not available")
        now, ttl = self._clock.now(), timedelta(minutes=client.minutes)
        principal = Principal(user.id, user.party_id, PartyKind(user.party_kind), roles, client.id)
        token = (await self._accounts.signer()).issue(principal, ttl, now)
        return Issued(token, now + ttl, roles)

    def _throttle(self, client_id: str, username: str) -> None:
        now = time.monotonic()
        recent = [at for at in self._failures.get((client_id, username), ()) if now - at < 60]
        if len(recent) >= FAILURES:
            raise WaybillError(
                Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS", "too many failed attempts: wait a minute",
                retry_after=timedelta(seconds=60),
            )  # fmt: skip

    def _note(self, client_id: str, username: str) -> None:
        key = (client_id, username)
        self._failures[key] = [*self._failures.get(key, [])[-FAILURES:], time.monotonic()]
        if len(self._failures) > 10_000:
            self._failures.popitem(last=False)


