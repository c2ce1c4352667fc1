"""gRPC at the edge: one server that hosts services, channels to the others, errors on the wire.

The server knows most of the libraries, and some of these need to know the call that is served: so the names of the package are
looked up when they are first asked for, and whichever module of it is imported first brings nothing but itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libs.rpc.call import Call, current
    from libs.rpc.peers import Peers
    from libs.rpc.server import RpcServer

__all__ = ["Call", "Peers", "RpcServer", "current"]
_PLACES = {"Call": "call", "current": "call", "Peers": "peers", "RpcServer": "server"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
