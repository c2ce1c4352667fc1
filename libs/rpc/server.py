"""One grpc.aio server that hosts one service or many."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from libs.auth import ServiceTokens, TokenVerifier
from libs.loops import forever
from libs.obs import get_logger
from libs.rpc.audit import AUDIT_SERVICE, register_audit
from libs.rpc.health import Health
from libs.rpc.interceptor import CallInterceptor
from libs.rpc.operations import OUTBOX_SERVICE, register_operations
from libs.rpc.peers import MAX_INSIDE, Peers
from libs.service import ServiceApp
from libs.startup import StartupError


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
    """Serves apps on one port, with health, reflection, audit and outbox services; runs their background loops."""

    def __init__(
        self,
        apps: Sequence[ServiceApp],
        verifier: TokenVerifier,
        service_tokens: ServiceTokens,
        credentials: grpc.ServerCredentials | None = None,
        max_outside_calls: int = 256,
        max_outside_streams: int = 1_000,
        peers: Peers | None = None,
        inner: bool = False,
    ) -> None:
        """With `inner`, a server with credentials also listens on the loopback without any, for calls of its own."""
        self._apps = list(apps)
        self._log = get_logger("server")
        self._credentials = credentials
        self._inner = inner
        self.inner_port = 0
        """Where the process calls itself when outside callers need TLS."""
        contexts = {full: app.name for app in apps for _, _, full in app.registrations}
        anonymous = frozenset().union(*(app.anonymous for app in apps)) if apps else frozenset()
        self._interceptor = CallInterceptor(contexts, anonymous, verifier, service_tokens, max_outside_calls, max_outside_streams)
        self._server = grpc.aio.server(
            interceptors=[self._interceptor],
            options=[
                ("grpc.max_receive_message_length", MAX_INSIDE),
                ("grpc.max_send_message_length", MAX_INSIDE),
                ("grpc.so_reuseport", 0),
                # gRPC drops what waits longer than this, by default 30 seconds; a caller's own deadline decides here.
                ("grpc.server_max_unrequested_time_in_server", 600),
            ],
        )
        generic = _Generic(self._server)
        for app in apps:
            for add, servicer, _ in app.registrations:
                add(servicer, generic)
        register_audit(generic, self._apps)
        register_operations(generic, self._apps)
        self._health = Health(self._apps, [AUDIT_SERVICE, OUTBOX_SERVICE], peers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, generic)
        reflection.enable_server_reflection([*self._health.names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        self._loops: list[asyncio.Task[None]] = []
        self._served = False

    def bind(self, address: str) -> int:
        """Takes `host:port` and returns the port (0 takes a free one); calls are answered from `serve` on.

        Raises `StartupError` when it cannot be had.
        """
        try:
            if self._credentials is None:
                return int(self._server.add_insecure_port(address))
            port = self._server.add_secure_port(address, self._credentials)
            if self._inner:
                self.inner_port = self._server.add_insecure_port("127.0.0.1:0")
        except RuntimeError as error:
            raise StartupError(f"cannot listen on {address}: the port is taken, or the address is not this machine's") from error
        return int(port)

    async def serve(self) -> None:
        """Answers calls."""
        await self._server.start()
        self._served = True
        await self._health.begin()

    async def start(self, bind: str) -> int:
        """Listens on `host:port` and returns the port (0 takes a free one)."""
        port = self.bind(bind)
        await self.serve()
        return port

    def run_background(self) -> None:
        """Starts the loops of the apps."""
        for app in self._apps:
            for loop in app.background:
                self._loops.append(asyncio.create_task(forever(app.name, loop, self._log)))

    async def wait(self) -> None:
        """Until the server ends."""
        await self._server.wait_for_termination()

    async def stop(self, grace: float = 10.0, notice: float = 0.0) -> None:
        """Ends in an order that loses no call.

        Health turns NOT_SERVING, and for `notice` seconds everything is still served, so that load balancers look
        elsewhere; streams end with a resume token, background loops end, running calls have `grace` seconds to finish.
        """
        await self._health.leave()
        await asyncio.sleep(notice if self._served else 0.0)
        self._interceptor.drain()
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._server.stop(grace)
        await self._health.end()
        for app in self._apps:
            try:
                await app.close()
            except Exception:
                self._log.exception("a service did not close", service=app.name)
