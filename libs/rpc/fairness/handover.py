"""Which gRPC server is before the callers from outside."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, cast

import grpc
from grpc._cython import cygrpc

from libs.obs import get_logger

ASKS = "_make_request_call_future"
"""The method of gRPC's server by which its loop asks for the next call: of a registered method, or of any with None."""


def server(interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]) -> grpc.aio.Server:
    """One that takes over at once all that has arrived; gRPC's own, with a warning, where its inside is not as it is known."""
    differs = difference(getattr(cygrpc, "AioServer", None))
    if differs is None:
        try:
            from libs.rpc.fairness.asking import Server

            # It is one: the published types know it by its public name only.
            return cast(grpc.aio.Server, Server(interceptors, options))
        except (ImportError, AttributeError, TypeError) as error:
            differs = str(error)
    get_logger("server").warning(
        "calls are handed over one by one, and a flood of one user is felt more by others: this release of gRPC differs",
        grpc=grpc.__version__,
        difference=differs,
    )
    return grpc.aio.server(interceptors=list(interceptors), options=list(options))


def difference(kind: Any) -> str | None:
    """What is not as it is known in this class of gRPC; None when all is."""
    asks = getattr(kind, ASKS, None)
    if asks is None:
        return f"{ASKS} is missing"
    try:
        taken = inspect.signature(asks)
    except (TypeError, ValueError):
        return f"the signature of {ASKS} is not known"
    return None if len(taken.parameters) == 2 else f"{ASKS} takes {taken}"
