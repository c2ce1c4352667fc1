"""How long connections to a server last, whoever has made them."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.settings import seconds

PING = 10_000
"""Milliseconds at least between two pings of a client; one that pings more often is sent away."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """When a connection ends. It is announced to the client, which makes another one for its next call; no call is lost."""

    connection_idle: float = seconds(
        300.0, "How long a connection may be without a call before it is ended.", at_least=0.1, at_most=86_400.0
    )
    connection_age: float = seconds(
        3_600.0,
        "How old a connection may become before it is ended, so that clients find new replicas; calls and streams on it go on.",
        at_least=1.0,
        at_most=2_000_000.0,
    )
    connection_ping: float = seconds(
        60.0, "How long a connection may be silent before its client is asked whether it is there.", at_least=1.0, at_most=7_200.0
    )
    connection_silence: float = seconds(
        20.0, "How long that answer may take before the connection, with its calls and streams, is given up.", at_least=1.0
    )

    @property
    def options(self) -> list[tuple[str, int]]:
        """The same for gRPC."""
        return [
            ("grpc.max_connection_idle_ms", _milliseconds(self.connection_idle)),
            ("grpc.max_connection_age_ms", _milliseconds(self.connection_age)),
            ("grpc.keepalive_time_ms", _milliseconds(self.connection_ping)),
            ("grpc.keepalive_timeout_ms", _milliseconds(self.connection_silence)),
            # The one above starts only when a ping cannot even be sent.
            ("grpc.http2.ping_timeout_ms", _milliseconds(self.connection_silence)),
            ("grpc.keepalive_permit_without_calls", 1),
            # Of clients: what they may ask in the same way.
            ("grpc.http2.min_ping_interval_without_data_ms", PING),
        ]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1_000)


DEFAULT = ConnectionLimits()
