"""Channels to the other services. Calls carry this service's identity, the acting user and the deadline."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

from libs import failpoints
from libs.auth import Principal, ServiceTokens
from libs.obs import get_logger, metrics, tracing
from libs.rpc.breaker import DEFAULT, Breaker, CallLimits
from libs.rpc.call import ACTING, CURRENT
from libs.rpc.counters import sent
from libs.rpc.entrance import MAX_INSIDE
from libs.rpc.status import from_rpc_error, unanswered
from libs.rpc.targets import ROUND_ROBIN, target

S = TypeVar("S")
_SERVICE_CONFIG = f"""{{"methodConfig": [{{"name": [{{}}], "retryPolicy": {{"maxAttempts": 5, "initialBackoff": "0.05s",
"maxBackoff": "0.5s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]}}}}], {ROUND_ROBIN}}}"""
"""Every method between services is idempotent by contract, so an unanswered call may be sent again.

CANCELLED is how gRPC ends calls that reach a server in the moment in which it ends; a call that is canceled here is none.
"""
_LOG = get_logger("rpc.peers")
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_INSIDE),
    ("grpc.max_receive_message_length", MAX_INSIDE),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.initial_reconnect_backoff_ms", 100),
)


LONG_ENOUGH = 1.0
"""Seconds that a call must have had before its silence says something about the service."""


def _is_silence(error: grpc.aio.AioRpcError, had: float | None) -> bool:
    """Whether nothing came from the service itself."""
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return not error.trailing_metadata()
    return error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and (had is None or had >= LONG_ENOUGH)


class _PeerChannel:
    """What a generated stub needs of a channel."""

    def __init__(self, peers: Peers, context: str) -> None:
        self._peers = peers
        self._context = context

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A call that identifies itself and raises our errors."""
        kwargs.pop("_registered_method", None)
        callables: dict[str, Any] = {}
        context = self._context
        point = f"{context}.{method.rsplit('/', 1)[-1]}"
        calls = metrics.sent_calls(self._peers.name, context, method)

        async def call(request: Any, timeout: float | None = None) -> Any:
            address = self._peers.address(context)
            multi = callables.get(address)
            if multi is None:
                multi = callables[address] = self._peers.channel(address).unary_unary(method, *args, **kwargs)
            breaker = self._peers.breaker(context)
            if not breaker.admits():
                calls.ended("CIRCUIT_OPEN", 0.0)
                raise unanswered(context)
            watched = failpoints.WATCHED
            if watched is not None:
                await watched.reach(f"{self._peers.name}>{point}:before")
            sent[method] += 1
            metadata, left = self._peers.outgoing(context, self._peers.limits.call_timeout if timeout is None else timeout)
            began, active, span = time.perf_counter(), tracing.ACTIVE, None
            if active is not None:
                span, traced = active.call(self._peers.name, method)
                metadata += traced
            code = "CANCELLED"
            try:
                answer = await multi(request, timeout=left, metadata=metadata)
                code = "OK"
            except grpc.aio.AioRpcError as error:
                code = error.code().name
                if _is_silence(error, left):
                    _LOG.warning("call unanswered", method=method, code=error.code().name, detail=error.details())
                    breaker.unanswered()
                else:
                    breaker.answered()
                raise from_rpc_error(error, context) from None
            finally:
                calls.ended(code, time.perf_counter() - began)
                if active is not None and span is not None:
                    active.called(span, code)
            breaker.answered()
            if watched is not None:
                await watched.reach(f"{self._peers.name}>{point}:after")
            return answer

        return call

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., AsyncIterator[Any]]:
        """The same for a stream of answers, bounded only by the call that is being served."""
        kwargs.pop("_registered_method", None)
        context = self._context

        async def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            channel = self._peers.channel(self._peers.address(context))
            sent[method] += 1
            metadata, left = self._peers.outgoing(context, timeout)
            try:
                async for answer in channel.unary_stream(method, *args, **kwargs)(request, timeout=left, metadata=metadata):
                    yield answer
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error, context) from None

        return call

    def _unsupported(self, method: str, *_: Any, **__: Any) -> None:
        return None

    stream_unary = stream_stream = _unsupported


class Peers:
    """The other services, by context name."""

    def __init__(
        self,
        service: str,
        tokens: ServiceTokens,
        addresses: Mapping[str, str] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        limits: CallLimits = DEFAULT,
    ) -> None:
        self.limits = limits
        self._credentials = credentials
        self._service = service
        self._tokens = tokens
        self._addresses = dict(addresses or {})
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._breakers: dict[str, Breaker] = {}

    @property
    def name(self) -> str:
        """The service that calls."""
        return self._service

    def connect(self, addresses: Mapping[str, str]) -> None:
        """Says where the services are; may come after the stubs were made."""
        self._addresses.update(addresses)

    def of(self, service: str) -> Peers:
        """The same peers, called by another service of this process."""
        other = Peers(service, self._tokens, credentials=self._credentials, limits=self.limits)
        other._addresses = self._addresses
        other._channels = self._channels
        return other

    def address(self, context: str) -> str:
        """Where a context is served."""
        return self._addresses[context]

    def known(self) -> Mapping[str, str]:
        """Where every context is served that has an address."""
        return self._addresses

    def breaker(self, context: str) -> Breaker:
        """The circuit to a context."""
        breaker = self._breakers.get(context)
        if breaker is None:
            breaker = self._breakers[context] = Breaker(limits=self.limits)
        return breaker

    def channel(self, address: str) -> grpc.aio.Channel:
        """The one channel to an address; it leads to every replica there."""
        channel = self._channels.get(address)
        if channel is None:
            if self._credentials is None:
                channel = grpc.aio.insecure_channel(target(address), options=CHANNEL_OPTIONS)
            else:
                channel = grpc.aio.secure_channel(target(address), self._credentials, options=CHANNEL_OPTIONS)
            self._channels[address] = channel
        return channel

    def stub(self, context: str, stub: Callable[[Any], S]) -> S:
        """A stub whose unary calls raise WaybillError; an answer that did not come is UNAVAILABLE."""
        return stub(_PeerChannel(self, context))

    def outgoing(self, context: str, timeout: float | None) -> tuple[tuple[tuple[str, str], ...], float | None]:
        """Metadata and time-out of a call to a context made now; the call that is being served bounds it."""
        call = CURRENT.get()
        if call is None:
            token = self._tokens.issue(self._service, ACTING.get(), context)
            return (("waybill-service", token),), timeout
        token = self._tokens.issue(self._service, ACTING.get() or call.caller, context)
        return (("waybill-service", token), ("x-request-id", call.request_id)), call.remaining(timeout)

    @contextmanager
    def acting(self, principal: Principal) -> Iterator[None]:
        """Calls inside the block are made on behalf of `principal`."""
        token = ACTING.set(principal)
        try:
            yield
        finally:
            ACTING.reset(token)

    async def close(self) -> None:
        """Closes every channel."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
