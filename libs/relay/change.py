"""What a feed of changes says, apart from how it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from libs.errors import Kind, WaybillError
from libs.relay.feed import Position
from waybill.type.v1 import reasons


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one resource."""

    resource: str
    """What it is, in the words of error messages: `product`, `ship method`."""
    resource_id: str
    version: int
    """The version that came to be; for a delete, the one that is gone."""
    time: datetime
    body: Mapping[str, Any] | None = None
    """The last body of what was deleted, as JSON of its message."""
    key: Any = None
    """Key of the row whose id and version are looked up when the change is written, instead of those above: for rows whose
    counters are changed without being read."""
    fields: tuple[str, ...] = ()
    """Names of the fields that an update sets; the feed itself does not say them."""


def moment(time: datetime) -> int:
    """The version of what has none: the time of the change in microseconds since 1970."""
    return round(time.timestamp() * 1_000_000)


def assignment_made(resource: str, parts: Sequence[str], time: datetime) -> Change:
    """What joins things, under their ids with slashes between them, was made or replaced. It has no version of its own."""
    return Change(resource, "/".join(parts), moment(time), time)


def assignment_ended(resource: str, parts: Sequence[str], time: datetime, row: Mapping[Any, Any]) -> Change:
    """The same was taken back. Its columns are named as the fields of its message."""
    return Change(resource, "/".join(parts), moment(time), time, {str(name): value for name, value in row.items()})


@dataclass(frozen=True, slots=True)
class Cause:
    """The call that makes a change; without a call, background work of the service itself, and every field is empty."""

    method: str = ""
    """Full name of the rpc, such as `/waybill.catalog.v1.ProductService/CreateProduct`."""
    client_id: str = ""
    actor: str = ""
    """The user; empty where nobody is signed in."""
    impersonator: str = ""
    """The user of the seller who acts in the actor's place; empty for none."""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A position, and the epoch that it belongs to."""

    position: Position
    epoch: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A change where it stands in the feed."""

    place: Place
    change: Change
    cause: Cause


@dataclass(frozen=True, slots=True)
class FeedState:
    """Whether a feed is on, and what is in it."""

    enabled: bool
    changes: int
    oldest: datetime | None
    newest: datetime | None


class ChangeFeed(Protocol):
    """The feed of one service. Places are opaque to everybody else."""

    async def oldest(self) -> Place:
        """Before everything that is still known."""

    async def latest(self) -> Place:
        """The end as it may be served now."""

    async def read(self, place: Place, resources: Sequence[str], limit: int) -> tuple[list[Entry], Place]:
        """What follows a place, of these resources or of all, and where to go on.

        Raises `POSITION_LOST` when something after the place is not known any more: it was forgotten, the feed has been
        off since, or the service was restored from a backup.
        """

    def ring(self, bell: Callable[[], None]) -> None:
        """Has `bell` called after every commit of this process that adds to the feed. Other processes ring nothing."""

    async def state(self) -> FeedState:
        """What it is now."""

    async def switch(self, enabled: bool) -> None:
        """Turns it on or off, for every process. Raises `FEED_ALWAYS_ON` where it cannot be off."""


def position_lost(why: str) -> WaybillError:
    """Something after the place of a reader is not known any more."""
    return WaybillError(
        Kind.OUT_OF_RANGE,
        reasons.POSITION_LOST,
        f"{why}: read the resources themselves, and watch from now on",
        metadata={"field": "resume_token", "restart": "from_start"},
    )
