"""Tokens: EdDSA-signed ones for users, verified locally; short-lived shared-secret ones between services."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from libs.auth.principal import Principal
from libs.auth.strength import weakness
from libs.errors import Kind, WaybillError
from libs.ids import new_key
from waybill.type.v1 import reasons

ISSUER = "waybill"
AUDIENCE = "waybill"
SERVICE_AUDIENCE = "waybill-services"
ALGORITHM = "EdDSA"
Jwk = Mapping[str, Any]


def token_invalid(why: str) -> WaybillError:
    """The token is forged, malformed or for another audience."""
    return WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_INVALID, f"the token is not valid: {why}")


def new_private_key() -> str:
    """A new Ed25519 key as PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class TokenSigner:
    """Signs tokens for users."""

    def __init__(self, private_pem: str, kid: str) -> None:
        loaded = serialization.load_pem_private_key(private_pem.encode(), None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ValueError("the signing key must be Ed25519")
        self._key = loaded
        self.kid = kid

    def jwk(self) -> dict[str, str]:
        """The public key, as a JSON Web Key."""
        public = jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {
            **{k: str(v) for k, v in public.items() if k in ("kty", "crv", "x")},
            "kid": self.kid,
            "alg": ALGORITHM,
            "use": "sig",
        }

    def issue(self, principal: Principal, ttl: timedelta, now: datetime) -> str:
        """A token that is good for `ttl`."""
        claims = {
            **principal.claims(),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": str(new_key()),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})


class TokenVerifier:
    """Verifies users' tokens against a key set, without asking anyone about a known key."""

    REFRESH_SECONDS = 5.0
    """The key set is asked for at most this often, however many unknown keys are named."""
    KEEP = 4_096
    LEEWAY = 2.0

    def __init__(self, fetch_keys: Callable[[], Awaitable[Sequence[Jwk]]], now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch_keys
        self._now = now
        self._fetching = asyncio.Lock()
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched = float("-inf")
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The caller named by the token.

        Raises UNAUTHENTICATED with TOKEN_EXPIRED or TOKEN_INVALID; when the key set cannot be fetched, what
        fetching raised. Only EdDSA is accepted: `none` and a public key used as a shared secret are refused
        before anything else is looked at.
        """
        known = self._known.get(token)
        if known is not None and known[0] > self._now():
            return known[1]
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise token_invalid("it is no JWT") from None
        if header.get("alg") != ALGORITHM:
            raise token_invalid("its algorithm is not accepted")
        key = await self._key(str(header.get("kid", "")))
        try:
            # The times are checked below, against the clock that was injected.
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            principal = Principal.of_claims(claims)
            expires, begins = float(claims["exp"]), float(claims.get("nbf", claims["iat"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise token_invalid("its signature or claims do not hold") from None
        now = self._now()
        if not now < expires + self.LEEWAY:
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_EXPIRED, "the token's time is over")
        if not begins - self.LEEWAY <= now:
            raise token_invalid("its time has not begun")
        self._known[token] = (expires, principal)
        if len(self._known) > self.KEEP:
            self._known.popitem(last=False)
        return principal

    async def _key(self, kid: str) -> Ed25519PublicKey:
        if kid not in self._keys:
            async with self._fetching:
                if kid not in self._keys and time.monotonic() - self._fetched > self.REFRESH_SECONDS:
                    self._keys = {str(jwk["kid"]): _public(jwk) for jwk in await self._fetch()}
                    # Only an answer starts the pause: a key set that could not be fetched is asked for again.
                    self._fetched = time.monotonic()
        key = self._keys.get(kid)
        if key is None:
            raise token_invalid("its key is not known")
        return key


def _public(jwk: Jwk) -> Ed25519PublicKey:
    loaded = jwt.PyJWK(dict(jwk), algorithm=ALGORITHM).key
    if not isinstance(loaded, Ed25519PublicKey):
        raise ValueError("the key set holds a key that is not Ed25519")
    return loaded


class ServiceTokens:
    """Tokens between services: the service's identity and the acting user's claims, never their token."""

    def __init__(self, secret: str, lifetime: float = 60.0) -> None:
        """`lifetime` is in seconds; a token is used again for the first half of it."""
        if weak := weakness(secret):
            raise ValueError(f"the service secret can be guessed: {weak}")
        self._secret = secret
        self._lifetime = lifetime
        self._issued: OrderedDict[tuple[str, Principal | None], tuple[float, str]] = OrderedDict()
        self._verified: OrderedDict[str, tuple[float, str, Principal | None]] = OrderedDict()

    def issue(self, service: str, acting: Principal | None) -> str:
        """A token for calls of `service` on behalf of `acting`; reused while it is fresh."""
        now = time.time()
        found = self._issued.get((service, acting))
        if found is not None and found[0] > now:
            return found[1]
        claims: dict[str, Any] = {
            "iss": service,
            "aud": SERVICE_AUDIENCE,
            "exp": datetime.fromtimestamp(now + self._lifetime, UTC),
        }
        if acting is not None:
            claims["act"] = acting.claims()
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        self._issued[(service, acting)] = (now + self._lifetime / 2, token)
        if len(self._issued) > 2_048:
            self._issued.popitem(last=False)
        return token

    def verify(self, token: str) -> tuple[str, Principal | None]:
        """The calling service and whom it acts for."""
        now = time.time()
        found = self._verified.get(token)
        if found is not None and found[0] > now:
            return found[1], found[2]
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=SERVICE_AUDIENCE,
                options={"require": ["exp", "iss"]},
                leeway=5,
            )
            service = str(claims["iss"])
            acting = Principal.of_claims(claims["act"], service) if "act" in claims else None
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise token_invalid("the service token does not hold") from None
        self._verified[token] = (float(claims["exp"]), service, acting)
        if len(self._verified) > 4_096:
            self._verified.popitem(last=False)
        return service, acting
