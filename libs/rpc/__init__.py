"""gRPC at the edge: one server that hosts services, channels to the others, errors on the wire."""

from libs.rpc.call import Call, current

__all__ = ["Call", "current"]
