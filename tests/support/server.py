"""A real server on a real port, for tests, and peers that are real servers with fakes behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import grpc
from grpc_status import rpc_status

from libs.auth import KeySet, Principal, ServiceTokens, SharedSecret, TokenSigner, TokenVerifier
from libs.auth.keys import new_private_key
from libs.clock import Clock, SystemClock
from libs.errors import Kind
from libs.failpoints import Failpoints
from libs.ids import IdSource, RandomIds
from libs.rpc.fairness.connections import DEFAULT as CONNECTIONS
from libs.rpc.fairness.connections import ConnectionLimits
from libs.rpc.fairness.limits import DEFAULT as OUTSIDE
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.peers import Peers
from libs.rpc.server import RpcServer
from libs.rpc.status import from_status
from libs.service.app import Runtime, ServiceApp
from services.roles import ALL_ROLES
from tests.support.principals import seller

S = TypeVar("S")
Registration = tuple[Callable[[Any, Any], None], Any, str]
Metadata = tuple[tuple[str, str], ...]

SIGNER = TokenSigner(new_private_key(), "test-key")
"""Signs the users' tokens of every test server of this process."""
SERVICE_TOKENS = ServiceTokens(SharedSecret("a-shared-secret-that-only-tests-know"))
TTL = timedelta(hours=1)


async def key_set(revision: str = "") -> KeySet | None:
    """The key set that test servers verify with."""
    return KeySet([SIGNER.jwk()])


def token_for(principal: Principal, ttl: timedelta = TTL) -> str:
    """A user's token, by the machine's clock."""
    by = seller(user=principal.impersonator_id) if principal.impersonator_id else None
    return SIGNER.issue(principal, ttl, datetime.now(UTC), by=by)


def metadata_for(principal: Principal | None, request_id: str = "") -> Metadata:
    """What a call of this user carries; none for an anonymous one."""
    found: list[tuple[str, str]] = []
    if principal is not None:
        found.append(("authorization", f"Bearer {token_for(principal)}"))
    if request_id:
        found.append(("x-request-id", request_id))
    return tuple(found)


def service_metadata(service: str, acting: Principal | None = None, context: str = "echo") -> Metadata:
    """What a call of one of our services to that of a context carries."""
    return (("waybill-service", SERVICE_TOKENS.issue(service, acting, context)),)


class _CallerChannel:
    """A channel whose calls carry the metadata of one caller and raise WaybillError, as `Peers` does."""

    def __init__(self, channel: grpc.aio.Channel, metadata: Callable[[str], Metadata]) -> None:
        self._channel = channel
        self._metadata = metadata

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        kwargs.pop("_registered_method", None)
        multi = self._channel.unary_unary(method, *args, **kwargs)

        async def call(request: Any, timeout: float | None = 30.0) -> Any:
            try:
                return await multi(request, timeout=timeout, metadata=self._metadata(method))
            except grpc.aio.AioRpcError as error:
                raise _raised(error) from None

        return call

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., AsyncIterator[Any]]:
        kwargs.pop("_registered_method", None)
        multi = self._channel.unary_stream(method, *args, **kwargs)

        async def call(request: Any, timeout: float | None = 30.0) -> AsyncIterator[Any]:
            try:
                async for answer in multi(request, timeout=timeout, metadata=self._metadata(method)):
                    yield answer
            except grpc.aio.AioRpcError as error:
                raise _raised(error) from None

        return call

    def _unsupported(self, *_: Any, **__: Any) -> None:
        return None

    stream_unary = stream_stream = _unsupported


def _raised(error: grpc.aio.AioRpcError) -> Exception:
    # Only what a use case raises is turned back: a defect of the server must fail the test as what it is.
    status = rpc_status.from_call(error)
    name = error.code().name
    return from_status(status, Kind(name)) if status is not None and name in set(Kind) else error


@dataclass(slots=True)
class Served:
    """A running server."""

    rpc: RpcServer
    address: str
    channel: grpc.aio.Channel
    """A plain channel: calls over it raise AioRpcError and carry only the metadata that is passed."""
    inner: grpc.aio.Channel
    """The same to the listener for services."""
    apps: list[ServiceApp] = field(default_factory=list)

    def token(self, principal: Principal) -> str:
        """A user's token."""
        return token_for(principal)

    def metadata(self, principal: Principal | None, request_id: str = "") -> Metadata:
        """What a call of this user carries."""
        return metadata_for(principal, request_id)

    def stub(self, kind: Callable[[Any], S], principal: Principal | None = None) -> S:
        """A stub that calls as this user and raises WaybillError."""
        return kind(_CallerChannel(self.channel, lambda _: metadata_for(principal)))

    def service_stub(self, kind: Callable[[Any], S], service: str, acting: Principal | None = None) -> S:
        """A stub that calls as one of our services."""
        contexts = {full: app.name for app in self.apps for _, _, full in app.registrations}

        def metadata(method: str) -> Metadata:
            return service_metadata(service, acting, contexts[method.split("/")[1]])

        return kind(_CallerChannel(self.inner, metadata))

    @property
    def statements(self) -> int:
        """SQL statements sent by all apps so far."""
        return sum(app.statements() for app in self.apps)


def runtime_for(
    service: str = "test",
    *,
    peers: Peers | None = None,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    failpoints: Failpoints | None = None,
) -> Runtime:
    """The ports to build a service with. Its peers are connected later: by `serving`, or by `fake_peers`."""
    return Runtime(
        clock or SystemClock(),
        ids or RandomIds(),
        peers or Peers(service, SERVICE_TOKENS),
        failpoints or Failpoints(),
        TokenVerifier(key_set).verify,
    )


@asynccontextmanager
async def serving(
    *apps: ServiceApp,
    peers: Iterable[Peers] | Peers = (),
    background: bool = False,
    limits: OutsideLimits = OUTSIDE,
    connections: ConnectionLimits = CONNECTIONS,
) -> AsyncIterator[Served]:
    """Serves the apps on a free port of the loopback until the block ends; then they are closed.

    `peers` find that every app is served here. `background` runs the apps' loops too.
    """
    verifier = TokenVerifier(key_set)
    server = RpcServer(list(apps), verifier, SERVICE_TOKENS, ALL_ROLES, limits=limits, connections=connections)
    port = await server.start("127.0.0.1:0")
    address = f"127.0.0.1:{port}"
    within = f"127.0.0.1:{server.inner_port}"
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    channel, inner = (grpc.aio.insecure_channel(target, options=options) for target in (address, within))
    connected = [peers] if isinstance(peers, Peers) else list(peers)
    for one in connected:
        one.connect({app.name: within for app in apps})
    if background:
        server.run_background()
    try:
        yield Served(server, address, channel, inner, list(apps))
    finally:
        for one in connected:
            await one.close()
        await channel.close()
        await inner.close()
        await server.stop(grace=0.1)


@asynccontextmanager
async def fake_peers(
    fakes: dict[str, list[Registration]], service: str = "test", peers: Peers | None = None
) -> AsyncIterator[Peers]:
    """Peers whose contexts are answered by fake servicers, through a real server, interceptor and channel.

    `fakes` maps a context to (add function, fake servicer, full service name). A fake may raise WaybillError,
    and read `libs.rpc.current()`. Pass `peers` to connect those of a runtime that exists already.
    """
    found = peers or Peers(service, SERVICE_TOKENS)
    apps = [ServiceApp(name=context, registrations=list(parts)) for context, parts in fakes.items()]
    async with serving(*apps, peers=found):
        yield found
