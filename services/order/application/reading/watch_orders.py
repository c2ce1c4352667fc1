"""WatchOrders: changes of orders that the caller may see, in the order in which they became visible."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.relay.change import Place
from libs.relay.feed import Position
from libs.relay.tail import SharedTail
from libs.service.unit_of_work import UnitsOfWork
from services.order.domain.model import Event
from services.order.domain.reading.visibility import Direction, Owners, Scope, event_shown, scope, sees
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Start:
    """Where a watch goes on: what a resume token says. `given` is when the token was served, if it says so."""

    position: Position
    epoch: str | None = None
    given: datetime | None = None


class Feed(Protocol):
    """Where positions of the feed of order events begin and end."""

    async def epoch(self) -> str: ...
    async def latest(self) -> Position: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """What a watch takes of the feed. None as a scope takes what anybody may see; no ids or types mean all."""

    seen: Scope | None = None
    order_ids: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Served:
    """An event where it stands in the feed, and whose its order is at the moment of the read."""

    place: Place
    order_id: str
    event: Event
    owners: Owners


def takes(selection: Selection, served: Served) -> bool:
    """Whether an event is in a selection: as a read of the feed says of all."""
    return (
        (not selection.event_types or served.event.type in selection.event_types)
        and (not selection.order_ids or served.order_id in selection.order_ids)
        and (selection.seen is None or sees(selection.seen, served.owners))
    )


Tail = SharedTail[Served, Selection]
"""The end of the feed, where one look serves all who watch."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is watched."""

    direction: Direction
    order_ids: tuple[str, ...]
    event_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One message: an event, or a checkpoint with none."""

    position: Position
    epoch: str
    order_id: str
    event: Event | None
    time: datetime
    """When it was served."""


class WatchOrders:
    """Streams without end."""

    def __init__(self, feeds: UnitsOfWork[Feed], tail: Tail, clock: Clock, kept: timedelta) -> None:
        """`kept` is how long a token can be used; the events themselves stay as long as their order."""
        self._kept = kept
        self._feeds = feeds
        self._tail = tail
        self._clock = clock

    async def __call__(self, caller: Principal, wanted: Wanted, start: Start | None) -> AsyncGenerator[Change, None]:
        """From a start, or from now; who has come to the end is given a checkpoint.

        Raises `RESUME_TOKEN_EXPIRED` for a start that is too old, or of another epoch.
        """
        seen = scope(caller, wanted.direction)
        async with self._feeds.reading() as feed:
            current = await feed.epoch()
            if start is not None and start.epoch is not None and start.epoch != current:
                raise _expired("the marketplace was restored from a backup after this token was given")
            if start is not None and start.given is not None and start.given < self._clock.now() - self._kept:
                raise _expired(f"the token is older than {self._kept.total_seconds() / 86_400:g} days")
            position = await feed.latest() if start is None else start.position
        selection = Selection(seen, frozenset(wanted.order_ids), frozenset(wanted.event_types))
        async with aclosing(self._tail.watch(Place(position, current), selection)) as news:
            async for place, served in news:
                now = self._clock.now()
                if served is None:
                    yield Change(place.position, current, "", None, now)
                else:
                    yield Change(place.position, current, served.order_id, event_shown(served.event, caller), now)


def _expired(why: str) -> WaybillError:
    return WaybillError(
        Kind.OUT_OF_RANGE,
        reasons.RESUME_TOKEN_EXPIRED,
        f"{why}: watch again with from_start, the history of every order is there",
        metadata={"field": "resume_token", "restart": "from_start"},
    )
