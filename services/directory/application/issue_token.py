"""IssueToken: password and client-credentials grants. One reason for whatever is wrong, so that nobody can probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.auth import Generations, PartyKind, Principal
from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.identify import folded
from services.directory.application.ports import Accounts, Secrets
from services.directory.application.ports_of_tokens import KeyRing
from services.directory.application.throttle import Attempt, Origin, Throttle
from services.directory.domain.access import lacked, token_roles
from services.directory.domain.grants import Account, Client, admits
from waybill.directory.v1 import reasons

NAME_LIMIT = 300
"""Longer names exist in no directory; they are cut, so that they cannot fill the memory either."""
NOWHERE = Origin()
TOKEN_LENGTH = 3_800
"""A token with groups is shorter: a cookie has room for it, and a call's metadata for the same claims once more."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token."""

    token: str
    expire_time: datetime
    lifetime: timedelta
    roles: frozenset[str]


class IssueToken:
    """Checks a grant and signs a token."""

    def __init__(self, accounts: Accounts, secrets: Secrets, clock: Clock, throttle: Throttle, keys: KeyRing) -> None:
        self._accounts = accounts
        self._secrets = secrets
        self._clock = clock
        self._throttle = throttle
        self._keys = keys

    async def by_password(
        self, client_id: str, client_secret: str, username: str, password: str, wanted: Sequence[str], origin: Origin = NOWHERE
    ) -> Issued:
        """For a user who signs in. Raises GRANT_INVALID, TOO_MANY_ATTEMPTS, ROLE_MISSING."""
        username = username[:NAME_LIMIT]
        attempt = Attempt(f"user {folded(username)[:NAME_LIMIT]}", origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        user = await self._accounts.user(username=username)
        public = client is not None and client.secret_hash is None
        source = "" if origin.shared else origin.source
        secret_ok = public
        # What is sent decides what a check costs, not what is known: an unknown client and an unknown user take as much time as
        # known ones, and no secret at all takes none.
        if client_secret:
            secret_ok = await self._secrets.verify(client.secret_hash if client else None, client_secret, source) or public
        password_ok = await self._secrets.verify(user.password_hash if user else None, password, source)
        return await self._issue(attempt, client, user, secret_ok and password_ok, wanted)

    async def by_client(self, client_id: str, client_secret: str, wanted: Sequence[str], origin: Origin = NOWHERE) -> Issued:
        """For a program: acts as the client's default user. Raises as `by_password` does."""
        attempt = Attempt(f"client {client_id[:NAME_LIMIT]}", origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        source = "" if origin.shared else origin.source
        ok = await self._secrets.verify(client.secret_hash if client else None, client_secret, source)
        user = await self._accounts.user(user_id=client.default_user_id) if client and client.default_user_id else None
        return await self._issue(attempt, client, user, ok, wanted)

    async def _issue(
        self, attempt: Attempt, client: Client | None, user: Account | None, proven: bool, wanted: Sequence[str]
    ) -> Issued:
        if client is None or user is None or not proven or not admits(client, user):
            # Also what is merely inactive counts as a failure, or the throttle would show which password is right.
            await self._throttle.failed(attempt)
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.GRANT_INVALID, "client, secret, user or password do not hold")
        known = await self._throttle.check(attempt)
        issued = await self.signed(client, user, wanted)
        if not known:
            await self._throttle.succeeded(attempt)
        return issued

    async def signed(self, client: Client, user: Account, wanted: Sequence[str], by: Principal | None = None) -> Issued:
        """A token of a user whom the client admits, once it is certain who asks for it. `by` is who acts in the user's place.
        Raises ROLE_MISSING."""
        standing = await self._accounts.standing(user.id)
        held = standing.roles | frozenset(user.roles)
        if role := lacked(held, client.minimum_roles):
            raise _unavailable(role)
        roles = token_roles(held, client.roles, wanted)
        if roles is None:
            raise _unavailable(next(role for role in wanted if token_roles(held, client.roles, [role]) is None))
        now, ttl = self._clock.now(), timedelta(minutes=client.minutes)
        principal = Principal(user.id, user.party_id, PartyKind(user.party_kind), roles, client.id, groups=standing.groups)
        principal = principal if by is None else replace(principal, impersonator_id=by.user_id)
        # Read before what the token is to carry: what is taken away meanwhile ends the token.
        generations = Generations(user.generation, client.generation, user.party_generation)
        signer = await self._keys.signer(now)
        token = signer.issue(principal, ttl, now, user.username, generations, by)
        if len(token) >= TOKEN_LENGTH and principal.groups:
            token = signer.issue(replace(principal, groups=None), ttl, now, user.username, generations, by)
        return Issued(token, now + ttl, ttl, roles)


def _unavailable(role: str) -> WaybillError:
    """A role that is wanted, or that the client asks of everyone, is not to be had."""
    text = f"the role {role[:100]!r} is not available here"
    return WaybillError(Kind.DENIED, reasons.ROLE_MISSING, text, metadata={"role": role[:100]})
