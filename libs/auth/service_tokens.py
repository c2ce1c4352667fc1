"""Tokens between services: short-lived, and each for one service."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jwt

from libs.auth.principal import Principal
from libs.auth.refusals import token_expired, token_invalid
from libs.auth.service_keys import ServiceKeys

LIFETIME = 20.0
"""Seconds that a token holds unless a setting says otherwise."""
SKEW = 60.0
"""Seconds by which the clocks of two machines may differ."""
HEARD_FOR = 600.0
"""Seconds for which it is remembered what time another process had: even a clock that is being set right is then off by less
than a second."""


def audience(context: str) -> str:
    """Whom a token is for that is shown to the service of a context."""
    return f"waybill-services/{context}"


class ServiceTokens:
    """Tokens between services: the service's identity and the acting user's claims, never their token.

    A token is for one service, and refused by every other. How old it is says the clock of the process that made it: whoever
    verifies tokens of a process knows from the newest of them what time it is there at least, so that clocks which differ do
    not lengthen the life of a token. Only of a process that has been silent for a while the verifier's own clock decides,
    which may then be off by `SKEW`.
    """

    def __init__(
        self,
        keys: ServiceKeys,
        lifetime: float = LIFETIME,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lifetime` is in seconds; a token is used again for the first half of it. `now` and `elapsed` are the clocks."""
        self._keys = keys
        self._lifetime = lifetime
        self._now, self._elapsed = now, elapsed
        self._run, self._latest = _new_run(), (now(), elapsed())
        self._issued: OrderedDict[tuple[str, str, Principal | None], tuple[float, str]] = OrderedDict()
        self._verified: OrderedDict[tuple[str, str], tuple[float, str, Principal | None]] = OrderedDict()
        self._heard: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def issue(self, service: str, acting: Principal | None, context: str) -> str:
        """A token for calls of `service` to that of `context` on behalf of `acting`; reused while it is fresh."""
        moment, key = self._elapsed(), (service, context, acting)
        found = self._issued.get(key)
        if found is not None and found[0] > moment:
            return found[1]
        now = self._now()
        if now - self._latest[0] < moment - self._latest[1] - 1.0:
            # The clock was set back. What earlier tokens have shown does not hold for later ones.
            self._run = _new_run()
        self._latest = now, moment
        claims: dict[str, Any] = {
            "iss": service,
            "aud": audience(context),
            "iat": now,
            "exp": now + self._lifetime,
            "run": self._run,
        }
        if acting is not None:
            claims["act"] = acting.claims()
        token = self._keys.sign(claims)
        self._issued[key] = (moment + self._lifetime / 2, token)
        _bound(self._issued, 2_048)
        return token

    def verify(self, token: str, context: str) -> tuple[str, Principal | None]:
        """The calling service and whom it acts for, of a token for the service of `context`.

        Raises TOKEN_EXPIRED, and TOKEN_INVALID for one that is forged or for another service.
        """
        moment = self._elapsed()
        found = self._verified.get((context, token))
        if found is not None and found[0] > moment:
            return found[1], found[2]
        try:
            claims = self._keys.opened(
                token,
                audience=audience(context),
                # The times are compared below, with the clock of the process that made the token.
                options={"require": ["exp", "iat", "iss", "run"], "verify_exp": False, "verify_iat": False},
            )
            service, issued, ends = str(claims["iss"]), float(claims["iat"]), float(claims["exp"])
            acting = Principal.of_claims(claims["act"], service) if "act" in claims else None
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise token_invalid("the service token does not hold") from None
        left = self._left(str(claims["run"]), issued, ends, moment)
        self._verified[context, token] = (moment + left, service, acting)
        _bound(self._verified, 4_096)
        return service, acting

    def _left(self, run: str, issued: float, ends: float, moment: float) -> float:
        """Seconds for which a token still holds. Raises TOKEN_EXPIRED."""
        now = self._now()
        if not issued - SKEW <= now < ends + SKEW:
            raise token_expired()
        heard = self._heard.get(run)
        if heard is None or moment - heard[1] > HEARD_FOR or issued > heard[0]:
            heard = self._heard[run] = (issued, moment)
            _bound(self._heard, 256)
        theirs = heard[0] + moment - heard[1]
        if theirs >= ends:
            raise token_expired()
        return min(ends - theirs, ends + SKEW - now)


def _new_run() -> str:
    """Names a process whose clock has not been set back since it was named."""
    return secrets.token_urlsafe(9)


def _bound(kept: OrderedDict[Any, Any], most: int) -> None:
    if len(kept) > most:
        kept.popitem(last=False)
