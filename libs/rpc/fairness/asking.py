"""A gRPC server that hands over what has arrived at once.

gRPC's own asks for one call, and for the next when it has begun that one: two threads wake each other for each, and on a busy
machine, or behind work that occupies the loop, calls stand in gRPC's queue where nobody sees whose they are. This one keeps
asking for many, so that a step of the loop takes over all that is there.

It leans on what is not gRPC's public interface: `handover.py` decides whether that is as it is known here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import grpc
from grpc._cython import cygrpc
from grpc.aio import _server

AT_ONCE = 128
"""Calls that can be handed over in one step of the loop."""
STEPS = 1_000


class _Asking(cygrpc.AioServer):  # type: ignore[misc]
    """Its loop waits for one future after the other. Here it is given the calls in the order in which they have come, whichever
    of those that were asked for they have come to: one that ends before it has begun leaves its place to a later call, and
    whoever waited for the places in their order would keep all the others behind it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._asked: set[asyncio.Future[Any]] = set()
        """Calls that were asked for and have not come."""
        self.come: deque[asyncio.Future[Any]] = deque()
        """Those that have, and that the loop has not been given."""
        self._next: asyncio.Future[Any] | None = None
        """What the loop waits for while none has come."""

    def _make_request_call_future(self, method: bytes | None) -> Any:
        if method is not None:
            return super()._make_request_call_future(method)
        while len(self._asked) < AT_ONCE:
            call = super()._make_request_call_future(None)
            self._asked.add(call)
            call.add_done_callback(self._came)
        if self.come:
            return self.come.popleft()
        self._next = asyncio.get_running_loop().create_future()
        return self._next

    def _came(self, call: asyncio.Future[Any]) -> None:
        self._asked.discard(call)
        waiting, self._next = self._next, None
        _seen(call)
        if waiting is None or waiting.done():
            self.come.append(call)
        elif call.cancelled():
            waiting.cancel()
        elif (failure := call.exception()) is not None:
            waiting.set_exception(failure)
        else:
            waiting.set_result(call.result())


def _seen(call: asyncio.Future[Any]) -> None:
    """Those that nobody has called fail when the server ends."""
    if not call.cancelled():
        call.exception()


class Server(_server.Server):
    """As `grpc.aio.server` makes it."""

    def __init__(self, interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]) -> None:
        self._loop = cygrpc.get_working_loop()
        self._server = _Asking(self._loop, None, (), tuple(interceptors), tuple(options), None)

    async def stop(self, grace: float | None) -> None:
        """What has been handed over is begun first; what arrives as the server ends is turned away, and not kept until then."""
        come = self._server.come
        for _ in range(STEPS):
            if not come:
                break
            await asyncio.sleep(0)
        stopping = asyncio.ensure_future(super().stop(grace))
        while not stopping.done():
            await asyncio.wait([stopping], timeout=0.02)
            while come:
                _seen(come.popleft())
        await stopping
