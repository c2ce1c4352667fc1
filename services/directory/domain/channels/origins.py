"""Origins of web pages, as browsers state them (RFC 6454)."""

from __future__ import annotations

import re
from typing import Final

from libs.errors import Violations
from waybill.directory.v1 import reasons

MAX_ORIGINS: Final = 100
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)
_OWN_PORTS: Final = {"http": "80", "https": "443"}
_FORM: Final = "must be https://host or https://host:port in small letters, or http of localhost"


def check(found: Violations, where: str, origins: list[str]) -> None:
    """Notes what no browser would state, or whatever could not be compared with it letter by letter."""
    found.require(where, len(origins) <= MAX_ORIGINS, reasons.TOO_MANY_ITEMS, f"at most {MAX_ORIGINS}")
    for i, origin in enumerate(origins[:MAX_ORIGINS]):
        found.require(f"{where}[{i}]", _stated(origin), reasons.FIELD_INVALID, _FORM)
        found.require(f"{where}[{i}]", origin not in origins[:i], reasons.DUPLICATE_ITEM, "stands twice")


def _stated(origin: str) -> bool:
    match = _ORIGIN.fullmatch(origin)
    if match is None or len(match["host"]) > 253:
        return False
    scheme, port = match["scheme"], match["port"]
    if scheme == "http" and match["host"] != "localhost":
        return False
    # A browser leaves the scheme's own port out.
    return port is None or (port != _OWN_PORTS[scheme] and int(port) <= 65_535)
