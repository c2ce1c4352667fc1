"""Users' tokens: signed with RS256 by one service, verified by each of them without asking it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from libs.auth.keys import ALGORITHM, KeySet, private_key, public_jwk, public_key
from libs.auth.principal import PartyKind, Principal
from libs.auth.refusals import token_expired, token_invalid, token_revoked
from libs.auth.revocations import CLIENT, USER, Fetch, Generations, Revocations, Subject
from libs.errors import WaybillError
from libs.ids import new_key

ISSUER = "waybill"
AUDIENCE = "waybill"
_NAMES = {"kind": "usrtype", "roles": "role", "client": "cid"}
"""Claims of a principal that a token carries under the names that OrderCloud's clients read."""
_OWN_NAMES = {name: own for own, name in _NAMES.items()}
_USER_TYPES = {PartyKind.SELLER.value: "admin", PartyKind.BUYER.value: "buyer", PartyKind.SUPPLIER.value: "supplier"}
FIRST = Generations()
_KINDS = {user_type: kind for kind, user_type in _USER_TYPES.items()}


def claims_of(principal: Principal, username: str) -> dict[str, Any]:
    """Who a token is for, as its claims. No claim stands twice, but for the user's id, which each side reads by its own name."""
    claims = {_NAMES.get(name, name): value for name, value in principal.claims().items()}
    return {**claims, "usrtype": _USER_TYPES[claims["usrtype"]], "u": principal.user_id, "usr": username}


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """The reverse; raises KeyError, TypeError or ValueError when the claims are not ours."""
    if not isinstance(claims["role"], list):
        raise TypeError("roles are a list")
    own = {_OWN_NAMES.get(name, name): value for name, value in claims.items()}
    return Principal.of_claims({**own, "kind": _KINDS[own["kind"]]})


def impersonator_of(claims: Mapping[str, Any]) -> tuple[tuple[Subject, int], ...]:
    """The generations of whoever acts in the place of the user, of that one's client and of the seller: nothing where nobody
    does. Raises KeyError, TypeError or ValueError when the claims are not ours."""
    if not claims.get("imp"):
        return ()
    company, client, *given = claims["imp_by"]
    user, through, seller = map(int, given)
    return (
        ((USER, str(claims["imp"])), user),
        ((CLIENT, str(client)), through),
        ((PartyKind.SELLER.value, str(company)), seller),
    )


def generations_of(claims: Mapping[str, Any]) -> Generations:
    """Raises KeyError, TypeError or ValueError when the claims are not ours."""
    user, client, company = claims["gen"]
    return Generations(int(user), int(client), int(company))


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was verified, and what it depends on."""

    principal: Principal
    generations: Generations
    kid: str
    expires: float
    impersonator: tuple[tuple[Subject, int], ...] = ()


class TokenSigner:
    """Signs tokens for users."""

    def __init__(self, private_pem: str, kid: str, audience: str = "") -> None:
        """`audience` takes the place of the services' own. Raises ValueError unless the key is RSA of 2048 bits or more."""
        self._key = private_key(private_pem)
        self._audience = audience or AUDIENCE
        self.kid = kid

    def jwk(self) -> dict[str, str]:
        """The public key, as a JSON Web Key."""
        return public_jwk(self._key.public_key(), self.kid)

    def issue(
        self,
        principal: Principal,
        ttl: timedelta,
        now: datetime,
        username: str = "",
        generations: Generations = FIRST,
        by: Principal | None = None,
    ) -> str:
        """A token that is good for `ttl`, given in these generations; `by` is who acts in the place of the user, if anyone."""
        given = FIRST if by is None else Generations(*by.generations)
        imp_by = [] if by is None else [by.party_id, by.client_id, given.user, given.client, given.company]
        claims = {
            **claims_of(principal, username),
            **({"imp_by": imp_by} if imp_by else {}),
            "gen": [generations.user, generations.client, generations.company],
            "iss": ISSUER,
            "aud": self._audience,
            "jti": str(new_key()),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})


class TokenVerifier:
    """Verifies users' tokens against a key set, without asking anyone about a known key."""

    PAUSE_SECONDS = 1.0
    """The key set is asked for at most this often, however many unknown keys are named."""
    KEEP = 4_096
    LEEWAY = 2.0

    def __init__(
        self,
        fetch_keys: Callable[[str], Awaitable[KeySet | None]],
        now: Callable[[], float] = time.time,
        refresh_seconds: float = 30.0,
        fetch_revocations: Fetch | None = None,
    ) -> None:
        """`fetch_keys` is given the revision that is known, empty for none, and returns None while that is the newest. When
        `refresh_seconds` have passed, the whole key set is asked for whatever is known of it. `fetch_revocations` is given the
        position that is known."""
        self._fetch = fetch_keys
        self._refresh_seconds = refresh_seconds
        self._revision = ""
        self._whole = float("-inf")
        self._now = now
        self._fetching = asyncio.Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._audiences = [AUDIENCE]
        self._fetched = float("-inf")
        self._known: OrderedDict[str, Verified] = OrderedDict()
        self._revocations = Revocations(fetch_revocations, now)
        self._announced = self._read = 0
        self._heard = time.monotonic()
        self.listeners: list[Callable[[], None]] = []
        """Are called when a token that was verified before may hold no longer."""

    async def verify(self, token: str) -> Principal:
        """The caller named by the token.

        Raises UNAUTHENTICATED with TOKEN_EXPIRED, TOKEN_REVOKED or TOKEN_INVALID; when the key set cannot be fetched, or
        revocations were never read, what fetching raised. Only RS256 is accepted: `none` and a public key used as a shared
        secret are refused before anything else is looked at.
        """
        await self._listen()
        known = self._known.get(token)
        # The key of a token that was verified may have been withdrawn since.
        if known is not None and known.expires > self._now() and known.kid in self._keys:
            self._require_current(known)
            return known.principal
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise token_invalid("it is no JWT") from None
        if header.get("alg") != ALGORITHM:
            raise token_invalid("its algorithm is not accepted")
        kid = str(header.get("kid", ""))
        key = await self._key(kid)
        try:
            # The times are checked below, against the clock that was injected.
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audiences,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            principal, generations = principal_of(claims), generations_of(claims)
            principal = replace(principal, generations=(generations.user, generations.client, generations.company))
            impersonator = impersonator_of(claims)
            expires, begins = float(claims["exp"]), float(claims.get("nbf", claims["iat"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise token_invalid("its signature or claims do not hold") from None
        now = self._now()
        if not now < expires + self.LEEWAY:
            raise token_expired()
        if not begins - self.LEEWAY <= now:
            raise token_invalid("its time has not begun")
        verified = Verified(principal, generations, kid, expires, impersonator)
        self._require_current(verified)
        self._known[token] = verified
        if len(self._known) > self.KEEP:
            self._known.popitem(last=False)
        return principal

    def holds(self, token: str) -> Callable[[], None]:
        """What to ask about a token that was just verified, as long as a stream goes on that it has opened: raises
        TOKEN_REVOKED, or TOKEN_INVALID when its key was withdrawn. That its time ends is no matter to the stream."""
        known = self._known[token]

        def require() -> None:
            if known.kid not in self._keys:
                raise token_invalid("its key is not known")
            self._require_current(known)

        return require

    def _require_current(self, verified: Verified) -> None:
        raised = self._revocations
        if raised.revoked(verified.principal, verified.generations) or raised.any_since(verified.impersonator):
            raise token_revoked()

    @property
    def ready(self) -> bool:
        """Whether revocations have been read; from then on what was last read holds while the directory does not answer."""
        return self._revocations.loaded

    @property
    def age(self) -> float:
        """Seconds since the directory was last heard."""
        return time.monotonic() - self._heard

    def stale(self) -> None:
        """There is a revocation in this very process: it is read before the next token is verified."""
        self._announced += 1

    async def _listen(self) -> None:
        """Reads revocations if there are some that must be known now."""
        if not self._revocations.loaded:
            async with self._fetching:
                if not self._revocations.loaded:
                    await self._revocations.load()
        elif self._read != self._announced:
            with suppress(WaybillError):
                async with self._fetching:
                    if self._read != self._announced:
                        await self._read_revocations()

    async def _read_revocations(self) -> None:
        announced = self._announced
        news = await self._revocations.load()
        self._read = announced
        if news:
            self._let_know()

    def _let_know(self) -> None:
        for listener in self.listeners:
            listener()

    async def _key(self, kid: str) -> RSAPublicKey:
        if kid not in self._keys:
            async with self._fetching:
                if kid not in self._keys and time.monotonic() - self._fetched > self.PAUSE_SECONDS:
                    await self._ask("")
        key = self._keys.get(kid)
        if key is None:
            raise token_invalid("its key is not known")
        return key

    async def refresh(self) -> None:
        """Takes the key set if it has changed: keys that are no longer in it verify nothing from now on, not even a token that
        they have verified before. Reads new revocations, by which tokens are refused that were good until now. Raises what
        fetching raised; until it succeeds, what was known before holds."""
        async with self._fetching:
            due = time.monotonic() - self._whole >= self._refresh_seconds
            await self._ask("" if due else self._revision)
            await self._read_revocations()
            self._heard = time.monotonic()

    async def _ask(self, revision: str) -> None:
        found = await self._fetch(revision)
        # Only an answer starts the pause: a key set that could not be fetched is asked for again.
        self._fetched = time.monotonic()
        if found is None:
            return
        before, self._keys = self._keys, {str(jwk["kid"]): public_key(jwk) for jwk in found.keys}
        self._audiences = [AUDIENCE, *([found.audience] if found.audience else [])]
        self._revision, self._whole = found.revision, self._fetched
        if before.keys() - self._keys.keys():
            self._let_know()
