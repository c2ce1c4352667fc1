"""Address books: entries, who may use them, and which one is the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Fields = Mapping[str, Any]
"""An address by the names of its contract's fields."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An address in the book of a company (`BUYER:acme`). `user_id` is set for a user's own one."""

    party: str
    id: str
    user_id: str
    address: Fields
    create_time: datetime
    update_time: datetime
    version: int = 1
    xp: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Lets a user, or with an empty user the whole company, use an address."""

    address_id: str
    user_id: str
    shipping: bool
    billing: bool


def usable(
    addresses: Iterable[dict[str, Any]], assignments: Sequence[Assignment], user_id: str, restricted: bool
) -> list[dict[str, Any]]:
    """All addresses of the book; of a restricted buyer only those assigned to the user or to everyone."""
    if not restricted:
        return list(addresses)
    assigned = {a.address_id for a in assignments if a.user_id in ("", user_id)}
    return [address for address in addresses if address["id"] in assigned]


def default_id(assignments: Sequence[Assignment], user_id: str, billing: bool) -> str:
    """The only address assigned for the purpose at the most specific level that has any; else none."""
    for level in ([user_id] if user_id else []) + [""]:
        found = [a.address_id for a in assignments if a.user_id == level and (a.billing if billing else a.shipping)]
        if found:
            return found[0] if len(found) == 1 else ""
    return ""
