"""Resume tokens of a watch: a position, bound to the caller and to what is watched."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.auth import Principal
from libs.relay import resume_token
from libs.relay.feed import Position
from services.order.application.reading.watch_orders import Change, Start, Wanted


def binding(caller: Principal, wanted: Wanted) -> str:
    """What a token belongs to."""
    return resume_token.binding(
        caller.party_kind.value,
        caller.party_id,
        caller.identity,
        wanted.direction.value,
        sorted(wanted.order_ids),
        sorted(wanted.event_types),
    )


def token(change: Change, bound: str) -> str:
    """The token of what follows a change."""
    return resume_token.write(bound, change.position, change.epoch, int(change.time.timestamp()))


def start(text: str, bound: str, from_start: bool) -> Start | None:
    """Where to go on, None meaning now. Raises `RESUME_TOKEN_INVALID`."""
    if from_start:
        return Start(Position())
    if not text:
        return None
    return resume_token.read(text, bound, _given)


def _given(position: Position, epoch: str, time: int) -> Start:
    return Start(position, str(epoch), datetime.fromtimestamp(int(time), UTC))
