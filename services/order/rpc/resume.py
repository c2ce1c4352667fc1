"""Resume tokens of a watch: a position, bound to the caller and to what is watched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import orjson

from libs.auth import Principal
from libs.errors import invalid
from libs.events import Position
from services.order.application.watch_orders import Wanted


def binding(caller: Principal, wanted: Wanted) -> str:
    """What a token belongs to."""
    text = orjson.dumps([
        caller.party_kind.value, caller.party_id, caller.user_id, wanted.direction.value, sorted(wanted.order_ids),
        sorted(wanted.event_types),
    ])  # fmt: skip
    return hashlib.sha256(text).hexdigest()[:16]


def token(position: Position, epoch: str, bound: str) -> str:
    """The token of a position in an epoch of the feed."""
    text = orjson.dumps([bound, position.xact, position.id, epoch])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def position(text: str, bound: str, from_start: bool) -> tuple[Position | None, str | None]:
    """Where to go on, None meaning now, and the epoch of a token. Raises `RESUME_TOKEN_INVALID`."""
    if from_start:
        return Position(), None
    if not text:
        return None, None
    try:
        owner, xact, id, *epoch = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not hmac.compare_digest(str(owner), bound):
            raise ValueError
        return Position(int(xact), int(id)), str(epoch[0]) if epoch else ""
    except (ValueError, TypeError, binascii.Error, orjson.JSONDecodeError):
        raise invalid(
            "resume_token", "RESUME_TOKEN_INVALID", "the resume token belongs to another watch or is none of ours"
        ) from None
