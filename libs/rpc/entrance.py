"""The two ways into a process, each behind a listener of its own: one for outside callers, one for services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from libs.auth import Principal, ServiceTokens, TokenVerifier
from libs.errors import Kind, WaybillError
from libs.obs import metrics
from libs.rpc.fairness.admission import Admission
from libs.rpc.fairness.guesses import Guesses
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.fairness.refusals import Refusals
from libs.rpc.fairness.sources import Sources, networks
from libs.rpc.fairness.turns import Turns
from waybill.type.v1 import reasons

MAX_OUTSIDE = 4 * 1024 * 1024
"""Bytes of a request of an outside caller. gRPC refuses a larger one by its announced size, before it is received."""
MAX_INSIDE = 64 * 1024 * 1024
"""Bytes of a message between services, and of every answer."""
HEALTH = "/grpc.health."
REFLECTION = "/grpc.reflection."


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call carries of its caller; empty for none."""

    service: str
    authorization: str


class Entrance(Protocol):
    """Who comes in through a listener, and with what."""

    outside: bool
    """Whether its callers are others than services of the same marketplace."""
    largest: int
    """Bytes of a request."""
    open: tuple[str, ...]
    """How methods begin that are for everyone."""

    async def caller(self, method: str, context: str, tokens: Tokens) -> tuple[Principal | None, str | None]:
        """The user and the calling service of a call of a context's method. Raises UNAUTHENTICATED when neither is known."""
        ...

    def holds(self, tokens: Tokens) -> Callable[[], None]:
        """What to ask, as long as a stream goes on, about the tokens that have opened it: raises UNAUTHENTICATED when they
        would open none now."""
        ...


def _always() -> None:
    """Holds as long as the stream."""


class Outside:
    """For everyone who is no service: users' tokens, small requests, so many at the same time."""

    outside = True
    largest = MAX_OUTSIDE
    open: tuple[str, ...] = (HEALTH, REFLECTION)

    def __init__(self, verifier: TokenVerifier, anonymous: frozenset[str]) -> None:
        """`anonymous` are full names of methods that need no token."""
        self._verifier = verifier
        self._anonymous = anonymous

    async def caller(self, method: str, context: str, tokens: Tokens) -> tuple[Principal | None, str | None]:
        """The user of a token. One of a service is refused here: whoever got hold of it gains nothing by it."""
        if tokens.service:
            why = "services are not served at this address: they have one of their own"
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_INVALID, why)
        if tokens.authorization:
            scheme, _, token = tokens.authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_INVALID, "the authorization is no bearer token")
            return await self._verifier.verify(token), None
        if method not in self._anonymous:
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_MISSING, "the call carries no token")
        return None, None

    def holds(self, tokens: Tokens) -> Callable[[], None]:
        """A token is revoked, or its key withdrawn."""
        return self._verifier.holds(tokens.authorization.partition(" ")[2]) if tokens.authorization else _always


class Inside:
    """For the services of the marketplace, which share a secret. Their calls are large, and never too many."""

    outside = False
    largest = MAX_INSIDE
    open: tuple[str, ...] = (HEALTH,)

    def __init__(self, tokens: ServiceTokens) -> None:
        self._tokens = tokens

    async def caller(self, method: str, context: str, tokens: Tokens) -> tuple[Principal | None, str | None]:
        """The calling service and whom it acts for; its token is for the called one. Users are not served here."""
        if not tokens.service:
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_MISSING, "only services are served at this address")
        service, acting = self._tokens.verify(tokens.service, context)
        return acting, service

    def holds(self, tokens: Tokens) -> Callable[[], None]:
        """What a service does for a user is finished, whatever becomes of the user meanwhile."""
        return _always


class Load:
    """What a process does for outside callers at the same time."""

    def __init__(self, limits: OutsideLimits) -> None:
        self.sources = Sources(networks(limits.trusted_proxies))
        self.guesses = Guesses(limits.taken_ids)
        self.refusals = Refusals(limits.refusals)
        self.waits = Admission("waiting calls", limits.max_waiting, limits, metrics.OUTSIDE_REFUSED)
        self.turns = Turns(limits.user_at_once)
        self.calls = Admission("calls", limits.max_calls, limits, metrics.OUTSIDE_REFUSED, self.waits, self.turns)
        self.streams = Admission("streams", limits.max_streams, limits, metrics.OUTSIDE_STREAMS_REFUSED)
        """A stream lasts: counted among the calls, a few hundred watchers would shut everyone else out."""
        metrics.OUTSIDE_RUNNING.set_function(lambda: self.calls.running)
        metrics.OUTSIDE_LIMIT.set(limits.max_calls)
        metrics.OUTSIDE_STREAMS.set_function(lambda: self.streams.running)
        metrics.OUTSIDE_STREAMS_LIMIT.set(limits.max_streams)
        metrics.OUTSIDE_WAITING.set_function(lambda: self.waits.running)
