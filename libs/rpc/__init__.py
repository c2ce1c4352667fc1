"""gRPC at the edge: one server that hosts services, channels to the others, errors on the wire."""

from libs.rpc.call import Call, current
from libs.rpc.peers import Peers
from libs.rpc.server import RpcServer

__all__ = ["Call", "Peers", "RpcServer", "current"]
