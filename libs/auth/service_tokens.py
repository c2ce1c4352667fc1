"""Tokens between services: short-lived, and made with a secret that all of them share."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import jwt

from libs.auth.principal import Principal
from libs.auth.refusals import token_invalid
from libs.auth.strength import weakness

SERVICE_AUDIENCE = "waybill-services"


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
