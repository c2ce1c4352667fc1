"""IssueToken: grants by password, by client credentials, by refresh token, and to guests. One reason for whatever is wrong,
so that nobody can probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from libs.errors import Kind, WaybillError
from services.directory.application.ports import Accounts, Secrets
from services.directory.application.tokens.access_tokens import AccessTokens, Issued, RefreshToken, unavailable
from services.directory.application.tokens.refresh_tokens import RefreshTokens, digest_of
from services.directory.application.tokens.throttle import NAME_LIMIT, Attempt, Origin, Throttle, attempt_of
from services.directory.domain.tokens.client_secrets import candidate
from services.directory.domain.tokens.grants import Account, Client, admits
from waybill.directory.v1 import reasons

NOWHERE = Origin()


class IssueToken:
    """Checks a grant and gives tokens."""

    def __init__(
        self, accounts: Accounts, secrets: Secrets, throttle: Throttle, access: AccessTokens, refreshing: RefreshTokens
    ) -> None:
        self._accounts = accounts
        self._secrets = secrets
        self._throttle = throttle
        self._access = access
        self._refreshing = refreshing

    async def by_password(
        self, client_id: str, client_secret: str, username: str, password: str, wanted: Sequence[str], origin: Origin = NOWHERE
    ) -> Issued:
        """For a user who signs in. Raises GRANT_INVALID, TOO_MANY_ATTEMPTS, ROLE_MISSING."""
        username = username[:NAME_LIMIT]
        attempt = attempt_of(username, origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        user = await self._accounts.user(username=username)
        secret_ok = await self._secret_holds(client, client_secret, origin)
        password_ok = await self._secrets.verify(user.password_hash if user else None, password, origin.counted)
        client, user, known = await self._require(attempt, client, user, secret_ok and password_ok, _whose("user", user))
        made = await self._access.make(client, user, wanted)
        if client.refresh_minutes:
            refresh = await self._refreshing.give(client, user, wanted)
            if refresh is None:
                raise _invalid()
            # Nobody who sits beside this user keeps it from its first refresh.
            await self._throttle.succeeded(_refreshing(digest_of(refresh.token), origin))
            made = replace(made, refresh=refresh)
        return await self._noted(attempt, known, made)

    async def by_client(self, client_id: str, client_secret: str, wanted: Sequence[str], origin: Origin = NOWHERE) -> Issued:
        """For a program: acts as the client's default user. It keeps a secret, and needs no refresh token beside it. Raises as
        `by_password` does."""
        attempt = Attempt(f"client {client_id[:NAME_LIMIT]}", origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        ok = await self._verified(client, client_secret, origin)
        user = await self._accounts.user(user_id=client.default_user_id) if client and client.default_user_id else None
        client, user, known = await self._require(attempt, client, user, ok, _whose("API client", client))
        return await self._noted(attempt, known, await self._access.make(client, user, wanted))

    async def by_guest(self, client_id: str, client_secret: str, wanted: Sequence[str], origin: Origin = NOWHERE) -> Issued:
        """For somebody without a user, who shops as the client's anonymous user: for one order, whose id is made here. Nothing is
        kept of it, and what is not used leaves nothing. Raises as `by_password` does.

        Failures count where they come from, and under no name that guests share: nobody shuts the shop with wrong secrets.
        """
        attempt = Attempt(f"guest of {client_id[:NAME_LIMIT]} from {origin.source}", origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        ok = await self._secret_holds(client, client_secret, origin)
        user = await self._accounts.user(user_id=client.anonymous_user_id) if client and client.anonymous_user_id else None
        client, user, _ = await self._require(attempt, client, user, ok, _whose("API client", client))
        return await self._access.make(client, user, wanted, guest=True)

    async def by_refresh(
        self, client_id: str, client_secret: str, token: str, wanted: Sequence[str], origin: Origin = NOWHERE
    ) -> Issued:
        """For a user who has signed in before. Raises as `by_password` does.

        The token is the name that failures count for: it cannot be guessed, and nobody shuts others out of their client with
        wrong ones.
        """
        digest = digest_of(token)
        attempt = _refreshing(digest, origin)
        await self._throttle.check(attempt)
        client = await self._accounts.client(client_id)
        secret_ok = await self._secret_holds(client, client_secret, origin)
        grant = await self._refreshing.find(digest)
        user = await self._accounts.user(user_id=grant.user_id if grant else "")
        whose = f"refresh token of {_whose('user', user)}"
        holds = grant is not None and grant.holds(client, user, self._refreshing.now())
        client, user, known = await self._require(attempt, client, user, secret_ok and holds, whose)
        assert grant is not None
        if role := grant.lacks(wanted):
            raise unavailable(role)
        made = await self._access.make(client, user, wanted or grant.roles)
        return await self._noted(attempt, known, replace(made, refresh=RefreshToken(token, grant.expire_time)))

    async def _secret_holds(self, client: Client | None, secret: str, origin: Origin) -> bool:
        """A public client has none. What is sent decides what a check costs, not what is known: an unknown client and an unknown
        user take as much time as known ones, and no secret at all takes none."""
        public = client is not None and not client.secrets
        if not secret:
            return public
        return await self._verified(client, secret, origin) or public

    async def _verified(self, client: Client | None, secret: str, origin: Origin) -> bool:
        """Whether it is one of the client's that hold: one check, however many there are, and whether there is such a client."""
        found = candidate(client.secrets if client else (), secret, self._refreshing.now())
        return await self._secrets.verify(found.secret_hash if found else None, secret, origin.counted)

    async def _require(
        self, attempt: Attempt, client: Client | None, user: Account | None, proven: bool, whose: str
    ) -> tuple[Client, Account, bool]:
        """Client and user, if they are known and proven and one admits the other, and whether the source need not be noted as
        known. Raises GRANT_INVALID, and counts it; ORIGIN_NOT_ALLOWED only for who has proven who it is."""
        if client is None or user is None or not proven or not admits(client, user):
            # Also what is merely inactive counts as a failure, or the throttle would show which password is right.
            await self._throttle.failed(attempt, whose)
            raise _invalid()
        known = await self._throttle.check(attempt)
        require_served(client, attempt.origin.page)
        return client, user, known

    async def _noted(self, attempt: Attempt, known: bool, made: Issued) -> Issued:
        if not known:
            await self._throttle.succeeded(attempt)
        return made


def require_served(client: Client, page: str) -> None:
    """Raises ORIGIN_NOT_ALLOWED for a web page that the client does not name."""
    if not client.serves(page):
        text = "the API client gives no tokens to this web page"
        raise WaybillError(Kind.DENIED, reasons.ORIGIN_NOT_ALLOWED, text, metadata={"origin": page[:200]})


def _whose(kind: str, found: Account | Client | None) -> str:
    """Whom it was tried at, as the log of acts says it."""
    return f"unknown {kind}" if found is None else f"{kind} {found.id}"


def _refreshing(digest: str, origin: Origin) -> Attempt:
    return Attempt(f"refresh token {digest}", origin)


def _invalid() -> WaybillError:
    text = "client, secret, user, password or refresh token do not hold"
    return WaybillError(Kind.UNAUTHENTICATED, reasons.GRANT_INVALID, text)
