"""Ids: time-ordered keys for inside, readable ones for outside."""

from __future__ import annotations

import re
import uuid
from typing import Protocol

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
NUMBERED_ID = 120
"""Most characters of an id that is made of a public one and a number."""
_NUMBERED = re.compile(rf"[A-Za-z0-9_-]{{1,{NUMBERED_ID}}}\Z")


def new_key() -> uuid.UUID:
    """A time-ordered UUID (version 7)."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def new_id(prefix: str) -> str:
    """A public id such as `ord_06afx...`, in the order of its making."""
    number = uuid_utils.uuid7().int
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def valid_id(text: str) -> bool:
    """Whether it is 1 to 100 characters of A-Z a-z 0-9 _ -."""
    return bool(_ID.match(text))


def valid_numbered_id(text: str) -> bool:
    """Whether it can be an id that was made of a public one, by a dash and a number: at most 120 characters."""
    return bool(_NUMBERED.match(text))


class IdSource(Protocol):
    """Makes ids."""

    def key(self) -> uuid.UUID:
        """A new internal key."""

    def public(self, prefix: str) -> str:
        """A new public id."""


class RandomIds:
    """Ids that no other process makes."""

    def key(self) -> uuid.UUID:
        """A new internal key."""
        return new_key()

    def public(self, prefix: str) -> str:
        """A new public id."""
        return new_id(prefix)


class SequentialIds:
    """Predictable ids, for tests."""

    def __init__(self) -> None:
        self._last = 0

    def key(self) -> uuid.UUID:
        """The next key."""
        self._last += 1
        return uuid.UUID(int=self._last)

    def public(self, prefix: str) -> str:
        """The next public id."""
        self._last += 1
        return f"{prefix}_{self._last}"
