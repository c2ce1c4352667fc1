"""Addresses as people write them: `host:port`. What is none is refused before anything is started or called."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from libs.service.startup import StartupError

LAST_PORT = 65_535
_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:")
"""Beginnings of addresses that gRPC reads by rules of its own."""


class AddressError(StartupError, ValueError):
    """An address is none, names nothing, or cannot be listened on."""

    exit_code = 2
    reason = "ADDRESS_INVALID"


class ListenError(AddressError):
    """The machine does not let this process listen there now; it may when another process has ended."""

    exit_code = 1
    reason = "LISTEN_FAILED"


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 host stands in brackets. Raises `AddressError`."""
    host, colon, port = address.rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise AddressError(f"{address!r} has no port: an address is host:port, such as 127.0.0.1:8420")
    if not host:
        raise AddressError(f"{address!r} has no host: an address is host:port, such as 127.0.0.1:8420")
    if not (port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
        raise AddressError(f"{address!r} has no port from 0 to {LAST_PORT} after its last colon")
    return host.strip("[]"), int(port)


def require_callable(address: str) -> str:
    """The address, if a server can be called at it: `host:port`, several with commas between them, or a URI such as
    `dns:///order:8420`. Raises `AddressError`."""
    if address.startswith(_SCHEMES):
        return address
    for one in address.split(","):
        if split(one.strip())[1] == 0:
            raise AddressError(f"{address!r} names port 0, at which nothing can be called")
    return address


def require_free(option: str, address: str, read: Callable[[str], tuple[str, int]] = split) -> None:
    """Returns if a server can listen there. Raises `AddressError` that names the option and says why not;
    `ListenError` when it is the machine that refuses.
    `read` takes the address apart, and raises ValueError when it is none.

    Another process may take the port a moment later, which the server itself reports. Asked first, because a start
    migrates databases before it listens.
    """
    try:
        host, port = read(address)
    except ValueError as error:
        raise AddressError(f"{option}: {error}") from None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise AddressError(f"{option} {address}: {host} does not resolve: {error.strerror or error}") from None
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(where)
            tried.listen(1)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise ListenError(f"cannot listen on {option} {address}: {why}") from None
