"""WatchOrders: changes of orders that the caller may see, in the order in which they became visible."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.relay.feed import Position
from libs.service.unit_of_work import UnitsOfWork
from services.order.application.limits import WatchLimits
from services.order.domain.model import Event
from services.order.domain.reading.visibility import Direction, Scope, event_shown, scope
from waybill.order.v1 import reasons

BATCH = 200
"""Events of one read of the feed; no setting, as it only bounds what is in memory."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a watch goes on: what a resume token says. `given` is when the token was served, if it says so."""

    position: Position
    epoch: str | None = None
    given: datetime | None = None


class Feed(Protocol):
    """The feed of order events."""

    async def epoch(self) -> str: ...
    async def latest(self) -> Position: ...
    async def read(
        self, position: Position, limit: int, seen: Scope, order_ids: Sequence[str], types: Sequence[str]
    ) -> tuple[list[tuple[Position, str, Event]], Position]: ...


class News(Protocol):
    """Rings when this process has added to the feed."""

    async def wait(self, timeout: float) -> None:
        """Until something may have been added, `timeout` seconds at most."""


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

    def __init__(self, feeds: UnitsOfWork[Feed], news: News, clock: Clock, kept: timedelta, limits: WatchLimits) -> None:
        """`kept` is how long a token can be used; the events themselves stay as long as their order."""
        self._kept = kept
        self._limits = limits
        self._feeds = feeds
        self._news = news
        self._clock = clock

    async def __call__(self, caller: Principal, wanted: Wanted, start: Start | None) -> AsyncIterator[Change]:
        """From a start, or from now. Raises `RESUME_TOKEN_EXPIRED` when it is too old, or another epoch has begun."""
        seen = scope(caller, wanted.direction)
        async with self._feeds.reading() as feed:
            current = await feed.epoch()
            if start is not None and start.epoch is not None and start.epoch != current:
                raise _expired("the marketplace was restored from a backup after this token was given")
            if start is not None and start.given is not None and start.given < self._clock.now() - self._kept:
                raise _expired(f"the token is older than {self._kept.total_seconds() / 86_400:g} days")
            position = await feed.latest() if start is None else start.position
        if start is None:
            yield Change(position, current, "", None, self._clock.now())
        quiet = 0
        while True:
            async with self._feeds.reading() as feed:
                found, onward = await feed.read(position, BATCH, seen, wanted.order_ids, wanted.event_types)
            now = self._clock.now()
            for place, order_id, event in found:
                yield Change(place, current, order_id, event_shown(event, caller), now)
            position = onward
            if found:
                quiet = 0
                continue
            quiet += 1
            if quiet % self._limits.watch_quiet == 0:
                yield Change(position, current, "", None, self._clock.now())
            await self._news.wait(self._limits.watch_pause)


def _expired(why: str) -> WaybillError:
    return WaybillError(
        Kind.OUT_OF_RANGE,
        reasons.RESUME_TOKEN_EXPIRED,
        f"{why}: watch again with from_start, the history of every order is there",
        metadata={"field": "resume_token", "restart": "from_start"},
    )
