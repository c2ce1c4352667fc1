"""Hosts services in this process: all of them, or one of them. Between them goes real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from libs.auth import KeySet, ServiceTokens, TokenVerifier
from libs.auth.revocations import Revocation, RevocationPage
from libs.clock import Clock, SystemClock
from libs.errors import WaybillError
from libs.failpoints import Failpoints
from libs.ids import IdSource, RandomIds
from libs.obs import get_logger
from libs.obs.endpoint import metrics_endpoint
from libs.obs.tracing import exporting
from libs.private import private_folder
from libs.rpc.peers import Peers
from libs.rpc.server import RpcServer
from libs.sealing import FindKeys
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop, forever
from libs.service.startup import StartupError
from services.host.contexts import CONTEXTS
from services.host.process.databases import wait_for_databases
from services.host.process.keys.sealing_keys import sealing_keys
from services.host.process.keys.service_keys import service_keys
from services.host.process.lock import alone
from services.host.process.settings import HostSettings
from services.host.process.tls import authority, inner_credentials, server_credentials
from services.roles import ALL_ROLES
from waybill.directory.v1 import revocation_service_pb2, revocation_service_pb2_grpc, token_service_pb2, token_service_pb2_grpc

if TYPE_CHECKING:
    from services.directory.application.bootstrap import OneTimeSecret


@dataclass(slots=True)
class Host:
    """A running process."""

    address: str
    """Where it listens for outside callers: `127.0.0.1:8420`."""
    inner_address: str
    """Where it listens for services."""
    secret: OneTimeSecret | None
    """How the owner signs in, when this start set the marketplace up."""
    apps: dict[str, ServiceApp]
    server: RpcServer
    failpoints: Failpoints
    metrics_address: str = ""
    """Where its metrics are read, if anywhere."""

    @property
    def statements(self) -> int:
        """SQL statements sent so far by all hosted services."""
        return sum(app.statements() for app in self.apps.values())


def _part(context: str, name: str) -> Any:
    """A module of a service. A process imports those that it hosts."""
    return import_module(f"services.{context}.{name}")


def settings_of(host: HostSettings, context: str) -> Any:
    """The settings of one service, as this process has them."""
    return host.settings_of(context, _part(context, "settings").Settings)


@asynccontextmanager
async def running(host: HostSettings, clock: Clock | None = None, ids: IdSource | None = None) -> AsyncIterator[Host]:
    """Migrates, sets an empty marketplace up, serves until the block ends."""
    async with AsyncExitStack() as stack:
        if host.otlp_endpoint:
            await stack.enter_async_context(exporting(host.otlp_endpoint))
        await stack.enter_async_context(alone(host, host.hosted))
        yield await stack.enter_async_context(_serving(host, clock or SystemClock(), ids or RandomIds()))


@asynccontextmanager
async def _serving(host: HostSettings, clock: Clock, ids: IdSource) -> AsyncIterator[Host]:
    if host.keeps_secret:
        private_folder(host.folder)
    # What is wrong with keys and certificates is said before anything else is looked at.
    tokens = ServiceTokens(service_keys(host), host.service_token_lifetime)
    credentials, within_credentials, trusted = server_credentials(host), inner_credentials(host), authority(host)
    find = sealing_keys(host) if "directory" in host.hosted else None
    await wait_for_databases(host)
    failpoints = Failpoints.from_env(host.failpoints)
    peers = Peers("host", tokens, host.addresses, trusted, host.calls)
    settings = await _all_settings(host, find, clock)
    own = peers.of(host.hosted[0])
    fetchers = _key_fetcher(own), _revocation_fetcher(own)
    verifier = TokenVerifier(fetchers[0], refresh_seconds=host.key_refresh, fetch_revocations=fetchers[1])
    apps: dict[str, ServiceApp] = {}
    for context in host.hosted:
        runtime = Runtime(clock, ids, peers.of(context), failpoints, verifier.verify)
        apps[context] = await _part(context, "main").build(settings[context], runtime)
    for changes in (app.key_changes for app in apps.values() if app.key_changes is not None):
        changes.listeners.append(verifier.refresh)
        changes.revoked.append(verifier.stale)
    server = RpcServer(
        list(apps.values()),
        verifier,
        tokens,
        ALL_ROLES,
        credentials,
        host.outside,
        host.connections,
        peers=peers,
        inner_credentials=within_credentials,
        health_limits=host.health,
        changes_pause=host.changes_pause,
    )
    try:
        async with AsyncExitStack() as stack:
            address = _reached(host.bind, server.bind(host.bind, host.inner_bind))
            within = _reached(host.inner_bind, server.inner_port)
            metrics_address = ""
            if host.metrics_bind:
                metrics_address = await stack.enter_async_context(_metrics(host, list(apps.values())))
            # A secret that is shown once comes into being when nothing is left that keeps a process from starting.
            secret = None
            if "directory" in host.hosted:
                secret = await _part("directory", "main").bootstrap(settings["directory"], clock, ids)
            await server.serve()
            peers.connect({context: host.addresses.get(context, within) for context in CONTEXTS if context in apps})
            if "directory" in host.hosted:
                with suppress(WaybillError):
                    await verifier.refresh()
                await server.ready()
            if host.background:
                await stack.enter_async_context(_refreshing(verifier, host))
                server.run_background()
            yield Host(address, within, secret, apps, server, failpoints, metrics_address)
    finally:
        await server.stop(host.grace_seconds, host.drain)
        await peers.close()


async def _all_settings(host: HostSettings, find: FindKeys | None, clock: Clock) -> dict[str, Any]:
    """By context. What is secret in the directory is sealed before anything is built."""
    settings = {context: settings_of(host, context) for context in host.hosted}
    if find is not None:
        settings["directory"] = await _part("directory", "main").sealed(settings["directory"], find, clock)
    return settings


@asynccontextmanager
async def _refreshing(verifier: TokenVerifier, host: HostSettings) -> AsyncIterator[None]:
    """Asks for the keys of tokens and for revocations again and again, so that neither a withdrawn key nor a role that was
    taken away is good for long. The process that has made such a change knows it before it verifies the next token."""
    loop = Loop("Keys.refresh", verifier.refresh, host.key_poll, 0.0)
    task = asyncio.create_task(forever("host", loop, get_logger("server")))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _reached(bind: str, port: int) -> str:
    """Where this machine finds what listens there."""
    return f"{bind.rsplit(':', 1)[0].replace('0.0.0.0', '127.0.0.1')}:{port}"


@asynccontextmanager
async def _metrics(host: HostSettings, apps: list[ServiceApp]) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(
                metrics_endpoint(host.metrics_bind, apps, host.metrics_pause, host.metrics_patience)
            )
        except OSError as error:
            raise StartupError(f"cannot serve metrics on {host.metrics_bind}: {error.strerror or error}") from error
        yield address


def _key_fetcher(peers: Peers) -> Callable[[str], Awaitable[KeySet | None]]:
    stub: Any = peers.stub("directory", token_service_pb2_grpc.TokenServiceStub)

    async def fetch(revision: str) -> KeySet | None:
        answer = await stub.GetKeySet(token_service_pb2.GetKeySetRequest(revision=revision))
        if answer.unchanged:
            return None
        keys = [{"kid": k.kid, "kty": k.kty, "n": k.n, "e": k.e, "alg": k.alg, "use": k.use} for k in answer.keys]
        return KeySet(keys, answer.audience, answer.revision)

    return fetch


def _revocation_fetcher(peers: Peers) -> Callable[[int], Awaitable[RevocationPage]]:
    stub: Any = peers.stub("directory", revocation_service_pb2_grpc.RevocationServiceStub)

    async def fetch(after: int) -> RevocationPage:
        answer = await stub.ListRevocations(revocation_service_pb2.ListRevocationsRequest(after=after))
        found = [Revocation((r.kind, r.id), r.generation, r.time.ToNanoseconds() / 1e9) for r in answer.revocations]
        return RevocationPage(found, answer.position, answer.more, answer.restart)

    return fetch
