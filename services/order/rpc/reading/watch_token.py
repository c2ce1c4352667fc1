"""Resume tokens of a watch: a position, bound to the caller and to what is watched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

import orjson

from libs.auth import Principal
from libs.errors import invalid
from libs.relay.feed import Position
from services.order.application.reading.watch_orders import Change, Start, Wanted


def binding(caller: Principal, wanted: Wanted) -> str:
    """What a token belongs to."""
    text = orjson.dumps(
        [
            caller.party_kind.value,
            caller.party_id,
            caller.user_id,
            wanted.direction.value,
            sorted(wanted.order_ids),
            sorted(wanted.event_types),
        ]
    )
    return hashlib.sha256(text).hexdigest()[:16]


def token(change: Change, bound: str) -> str:
    """The token of what follows a change."""
    position = change.position
    text = orjson.dumps([bound, position.xact, position.id, change.epoch, int(change.time.timestamp())])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def start(text: str, bound: str, from_start: bool) -> Start | None:
    """Where to go on, None meaning now. Raises `RESUME_TOKEN_INVALID`."""
    if from_start:
        return Start(Position())
    if not text:
        return None
    try:
        owner, xact, id, epoch, given = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not hmac.compare_digest(str(owner), bound):
            raise ValueError
        return Start(Position(int(xact), int(id)), str(epoch), datetime.fromtimestamp(int(given), UTC))
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error, orjson.JSONDecodeError):
        raise invalid(
            "resume_token", "RESUME_TOKEN_INVALID", "the resume token belongs to another watch or is none of ours"
        ) from None
