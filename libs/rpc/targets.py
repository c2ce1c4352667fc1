"""Where a context is served, as a target that gRPC understands."""

from __future__ import annotations


def target(address: str) -> str:
    """A channel's target for `host:port`, for several `ip:port` with commas between them, or for a URI such as
    `dns:///order:8420`, whose every address counts."""
    if "," in address:
        return "ipv4:" + ",".join(part.strip() for part in address.split(","))
    return address


ROUND_ROBIN = '"loadBalancingConfig": [{"round_robin": {}}]'
"""Part of a service config: calls go to every replica in turn, and never to one that is gone."""
