"""Tokens by which a watch goes on: a place in a feed, bound to who watches and to what is watched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from libs.errors import invalid
from libs.relay.feed import Position
from waybill.type.v1 import reasons

T = TypeVar("T")
LONGEST = 1_000
"""Characters; ours are far shorter."""


def binding(*parts: Any) -> str:
    """What a token belongs to: it is refused for anything else."""
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]


def write(bound: str, position: Position, *more: str | int) -> str:
    """The token of what follows a position; `more` comes back as it is."""
    text = orjson.dumps([bound, position.xact, position.id, *more])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read(text: str, bound: str, make: Callable[..., T]) -> T:
    """What `make` makes of the position and what was written beside it. Raises `RESUME_TOKEN_INVALID`."""
    try:
        if len(text) > LONGEST:
            raise ValueError
        owner, xact, id, *more = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not hmac.compare_digest(str(owner), bound):
            raise ValueError
        position = Position(int(xact), int(id))
        if not (0 <= position.xact < 2**63 and 0 <= position.id < 2**63):
            raise ValueError
        return make(position, *more)
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error):
        raise invalid(
            "resume_token", reasons.RESUME_TOKEN_INVALID, "the resume token belongs to another watch or is none of ours"
        ) from None
