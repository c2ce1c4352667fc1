"""Address books: entries, who may use them, and which one is the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from libs.json_value import JsonObject

Fields = Mapping[str, str]
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
    xp: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Lets a user, or a group of users, or with neither the whole company, use an address."""

    address_id: str
    user_id: str
    shipping: bool
    billing: bool
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class Usable:
    """An address of a book, and what a user may use it for."""

    address: Fields
    shipping: bool = True
    billing: bool = True


def usable(book: Iterable[tuple[str, Fields]], assignments: Sequence[Assignment], user_id: str, restricted: bool) -> list[Usable]:
    """All addresses of the book for every purpose; of a restricted buyer only those assigned to the user, to its groups or to
    everyone, for the purposes that these assignments name together. `book` has each address with the user that keeps it for
    itself, if one does: to everybody else that one is never open. `assignments` to groups are to those of the user."""
    addresses = [address for keeper, address in book if keeper in ("", user_id)]
    if not restricted:
        return [Usable(address) for address in addresses]
    mine = [a for a in assignments if a.user_id in ("", user_id)]
    shipping = {a.address_id for a in mine if a.shipping}
    billing = {a.address_id for a in mine if a.billing}
    return [
        Usable(address, address["id"] in shipping, address["id"] in billing)
        for address in addresses
        if address["id"] in shipping | billing
    ]


def default_id(assignments: Sequence[Assignment], user_id: str, billing: bool) -> str:
    """The only address assigned for the purpose at the most specific level that has any; else none.

    The levels are the user, its groups together, and the company. `assignments` to groups are to those of the user.
    """
    mine = [a for a in assignments if a.user_id in ("", user_id) and (a.billing if billing else a.shipping)]
    if not mine:
        return ""
    level = max(map(_level, mine))
    found = {a.address_id for a in mine if _level(a) == level}
    return found.pop() if len(found) == 1 else ""


def _level(assignment: Assignment) -> int:
    return 2 if assignment.user_id else 1 if assignment.group_id else 0
