"""One service or many, behind a listener for outside callers and one for services."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from libs.auth import ServiceTokens, TokenVerifier
from libs.obs import get_logger, metrics
from libs.rpc.access import open_methods, rules_of
from libs.rpc.audit import AUDIT_SERVICE, register_audit
from libs.rpc.changes import CHANGE_SERVICE, PAUSE, ChangeServicer, register_changes
from libs.rpc.entrance import HEALTH, MAX_INSIDE, REFLECTION, Entrance, Inside, Load, Outside
from libs.rpc.fairness.connections import DEFAULT as CONNECTIONS
from libs.rpc.fairness.connections import ConnectionLimits
from libs.rpc.fairness.limits import DEFAULT as OUTSIDE
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.health import Health
from libs.rpc.health_limits import DEFAULT, HealthLimits
from libs.rpc.interceptor import CallInterceptor
from libs.rpc.invariants import INSPECTION_SERVICE, register_inspection
from libs.rpc.operations import OUTBOX_SERVICE, register_operations
from libs.rpc.peers import Peers
from libs.rpc.reflection import register_reflection
from libs.rpc.streams import Streams
from libs.service.app import ServiceApp
from libs.service.loops import forever
from libs.service.startup import StartupError


class _Generic:
    """The server as generated code registers with it, without handlers that the library waits for one by one.

    It keeps a task for every registered method and looks at all of them whenever a call arrives: the more methods a
    process serves, the dearer each call. Generic handlers, which generated code also adds, are found by name.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        """Its generic handler serves the same."""


class RpcServer:
    """Serves apps, with health, reflection, inspection, outbox and change services; runs their background loops.

    What a message may weigh is a matter of a whole gRPC server, so there are two of them before the same servicers: the
    public one knows users and takes 4 MiB, the inner one knows services and takes 64.
    """

    def __init__(
        self,
        apps: Sequence[ServiceApp],
        verifier: TokenVerifier,
        service_tokens: ServiceTokens,
        roles: Collection[str],
        credentials: grpc.ServerCredentials | None = None,
        limits: OutsideLimits = OUTSIDE,
        connections: ConnectionLimits = CONNECTIONS,
        peers: Peers | None = None,
        inner_credentials: grpc.ServerCredentials | None = None,
        health_limits: HealthLimits = DEFAULT,
        changes_pause: float = PAUSE,
    ) -> None:
        """`credentials` are shown to outside callers, `inner_credentials` to services; without them in the clear.

        `roles` are all that exist. `changes_pause` is what `ChangeServicer` says of it. Raises `StartupError` while a contract
        does not say who may call a method.
        """
        self._apps = list(apps)
        self._connections = connections
        self._changes = ChangeServicer(self._apps, changes_pause)
        self._log = get_logger("server")
        self._credentials = credentials
        self._inner_credentials = inner_credentials
        self.inner_port = 0
        """Where services are served, once it is bound."""
        contexts = {full: app.name for app in apps for _, _, full in app.registrations}
        shared = [INSPECTION_SERVICE, OUTBOX_SERVICE, CHANGE_SERVICE, AUDIT_SERVICE]
        access = rules_of([*contexts, *shared], roles)
        self.load = Load(limits)
        """What outside callers have of the process."""
        self._streams = Streams()
        metrics.STREAMS.set_function(lambda: len(self._streams))
        verifier.listeners.append(self._streams.review)
        metrics.REVOCATIONS_AGE.set_function(lambda: verifier.age)
        self._health = Health(self._apps, shared, peers, health_limits, lambda: verifier.ready)

        def server(entrance: Entrance) -> grpc.aio.Server:
            return self._server(CallInterceptor(contexts, access, entrance, self.load, self._streams), entrance)

        self._public, self._inner = server(Outside(verifier, open_methods(access))), server(Inside(service_tokens))
        self._loops: list[asyncio.Task[None]] = []
        self._served = False

    def _server(self, interceptor: CallInterceptor, entrance: Entrance) -> grpc.aio.Server:
        """A server of all that is served, for those who come in there."""
        server = grpc.aio.server(
            interceptors=[interceptor],
            options=[
                ("grpc.max_receive_message_length", entrance.largest),
                ("grpc.max_send_message_length", MAX_INSIDE),
                ("grpc.so_reuseport", 0),
                *self._connections.options,
                # gRPC drops what waits longer than this, by default 30 seconds; a caller's own deadline decides here.
                ("grpc.server_max_unrequested_time_in_server", 600),
            ],
        )
        generic = _Generic(server)
        for app in self._apps:
            for add, servicer, _ in app.registrations:
                add(servicer, generic)
        register_inspection(generic, self._apps)
        register_operations(generic, self._apps)
        register_changes(generic, self._changes)
        register_audit(generic, self._apps)
        if HEALTH in entrance.open:
            health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, generic)
        if REFLECTION in entrance.open:
            register_reflection(generic, [*self._health.names, health.SERVICE_NAME])
        return server

    def bind(self, address: str, inner: str = "127.0.0.1:0") -> int:
        """Takes `host:port` for outside callers and `inner` for services (0 takes a free port); returns the public port.

        Calls are answered from `serve` on. Raises `StartupError` when one of them cannot be had.
        """
        port = _listen(self._public, address, self._credentials)
        self.inner_port = _listen(self._inner, inner, self._inner_credentials)
        return port

    async def serve(self) -> None:
        """Answers calls."""
        await self._inner.start()
        await self._public.start()
        self._served = True
        await self._health.begin()

    async def ready(self) -> None:
        """Looks at once whether it serves by now."""
        await self._health.open()

    async def start(self, bind: str, inner: str = "127.0.0.1:0") -> int:
        """Listens as `bind` says, serves, and returns the public port."""
        port = self.bind(bind, inner)
        await self.serve()
        return port

    def run_background(self) -> None:
        """Starts the loops of the apps."""
        for app in self._apps:
            for loop in app.background:
                self._loops.append(asyncio.create_task(forever(app.name, loop, self._log)))

    async def end_background(self) -> None:
        """Ends the loops, each where it may be interrupted; `run_background` starts them anew."""
        loops, self._loops = self._loops, []
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    async def wait(self) -> None:
        """Until the server ends."""
        await self._public.wait_for_termination()

    async def stop(self, grace: float = 10.0, notice: float = 0.0) -> None:
        """Ends in an order that loses no call.

        Health turns NOT_SERVING, and for `notice` seconds everything is still served, so that load balancers look
        elsewhere; streams end with a resume token, background loops end, running calls have `grace` seconds to finish.
        """
        await self._health.leave()
        await asyncio.sleep(notice if self._served else 0.0)
        self._streams.end()
        await self.end_background()
        # What is still done for an outside caller may need a call to this very process: services are served to the last.
        until = time.monotonic() + grace
        await self._public.stop(grace)
        await self._inner.stop(max(min(grace, 1.0), until - time.monotonic()))
        await self._health.end()
        for app in self._apps:
            try:
                await app.close()
            except Exception:
                self._log.exception("a service did not close", service=app.name)


def _listen(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        if credentials is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, credentials))
    except RuntimeError as error:
        raise StartupError(f"cannot listen on {address}: the port is taken, or the address is not this machine's") from error
