"""How calls are made so that they survive a server that ends: every replica is known, what was not answered is tried again."""

from __future__ import annotations

import uuid
from typing import Any

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, as between services: an order of 5,000 lines is larger than the 4 MB that gRPC takes by itself."""
OPTIONS = (
    (
        "grpc.service_config",
        '{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s",'
        ' "backoffMultiplier": 2.5,'
        ' "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]}}],'
        ' "loadBalancingConfig": [{"round_robin": {}}]}',
    ),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.max_receive_message_length", LARGEST),
)
"""Every call may be sent again: reads change nothing, and `identified` gives every mutation an id.

CANCELLED, where the caller did not cancel, is how gRPC ends calls that reach a server in the moment in which it ends.
"""


def target(address: str) -> str:
    """A channel's target for `host:port`, several `ip:port` with commas between them, or a gRPC URI such as
    `dns:///order:8420`."""
    if "," in address:
        return "ipv4:" + ",".join(part.strip() for part in address.split(","))
    return address


def identified(request: Any) -> Any:
    """The request with an id of its own where it has none, so that a repeat has one effect."""
    if not hasattr(request, "request_id") or request.request_id:
        return request
    made = type(request)()
    made.CopyFrom(request)
    made.request_id = uuid.uuid4().hex
    return made
