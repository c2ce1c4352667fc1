"""Ports for servers of tests that must have one before they start, or the same one again.

Not those that the system gives when it is asked for port 0: of these it makes connections too, so that such a port may be
somebody's before its server binds it, or between two of that server's lives.
"""

from __future__ import annotations

import secrets
import socket

# Below what systems take for connections of their own, 32768 and more on Linux, 49152 and more elsewhere.
_FIRST, _LAST = 15_000, 32_000
_taken: list[socket.socket] = []
"""Marks that hold a port for this process as long as it lives."""


def free_port() -> int:
    """A port of the loopback that nobody listens on, and that no other process of a test run is given while this one runs."""
    for _ in range(200):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        if _mark(port) and _free(port):
            return port
    raise RuntimeError(f"no port from {_FIRST} to {_LAST} is free")


def free_address() -> str:
    """Such as `127.0.0.1:15000`."""
    return f"127.0.0.1:{free_port()}"


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers bind it: what was a connection of a server that has ended is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _mark(port: int) -> bool:
    # A name of the abstract kind has no file, and is free again when its process ends, however it ends.
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0waybill-test-port-{port}")
    except OSError:
        mark.close()
        return False
    _taken.append(mark)
    return True
