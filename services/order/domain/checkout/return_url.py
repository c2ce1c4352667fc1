"""Where a provider may send a buyer back to: a page of the shop that the order came through."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

MAX_LENGTH: Final = 2_000
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_OWN_PORTS: Final = {"http": 80, "https": 443}
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII without blanks and without the backslash, which browsers read as a slash."""


def origin_of(url: str) -> str | None:
    """The origin of a page as a browser states it (RFC 6454); None for what a buyer is not sent to: no https, and no http of this
    machine, a user name before the host, or characters that no URL has."""
    if len(url) > MAX_LENGTH or not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or parts.scheme not in _OWN_PORTS:
        return None
    if parts.scheme == "http" and host not in _LOOPBACK:
        return None
    shown = f"[{host}]" if ":" in host else host
    named = "" if port in (None, _OWN_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{shown}{named}"


def allowed(origin: str, origins: Collection[str]) -> bool:
    """Whether a channel that names these origins lets buyers come back to a page of this one. One that names none names all."""
    return not origins or origin in origins
