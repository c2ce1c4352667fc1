"""Where an outside call comes from: the address of its connection, or the one that a trusted proxy forwards for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FORWARDED = "x-forwarded-for"
LOCAL = "local"
"""The source of what comes through no network at all: a Unix socket, or the process itself."""
SUBSCRIBER = 64
"""Bits of an IPv6 address that count: the rest is the subscriber's to choose, who would be as many sources as it likes."""
HOPS = 20
"""Addresses of a forwarded header that are looked at, from its end."""


class Source(NamedTuple):
    """Where a call comes from."""

    name: str
    """The address, of IPv6 the network of the subscriber, or `local`."""
    shared: bool = False
    """Whether it is a trusted proxy that says of nobody whom it calls for: then the name stands for no single caller."""


NOWHERE = Source("", True)
"""Of calls between services."""


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between them. Raises ValueError that names what is neither."""
    found: list[Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(f"{part!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return tuple(found)


class Sources:
    """Finds the source of calls."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        """What proxies in `trusted` say of where a call comes from is believed; what anybody else says is not."""
        self._trusted = tuple(trusted)
        self._direct = lru_cache(4_096)(self._of_peer)

    def of(self, peer: str, forwarded: Iterable[str]) -> Source:
        """The source of a call from a peer, as gRPC names it, with these forwarded headers.

        Behind a trusted proxy it is the last address of the header that is no trusted proxy itself: what stands before
        that one anybody could have written. A header that cannot be read counts for nothing.
        """
        address, direct = self._direct(peer.rpartition(":")[0])
        if address is None or not self._trusts(address):
            return direct
        hops = [hop.strip() for header in forwarded for hop in header.split(",")]
        if not hops:
            return Source(direct.name, shared=True)
        for hop in reversed(hops[-HOPS:]):
            found = _parsed(hop)
            if found is None:
                break
            if not self._trusts(found):
                return Source(_name(found))
        return direct

    def _of_peer(self, host: str) -> tuple[Address | None, Source]:
        kind, _, text = host.partition(":")
        address = _parsed(unquote(text)) if kind in ("ipv4", "ipv6") else None
        return address, Source(LOCAL if address is None else _name(address))

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _name(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address), SUBSCRIBER), strict=False))


def _parsed(text: str) -> Address | None:
    """The address that a text stands for, with a port or without; None when it stands for none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
