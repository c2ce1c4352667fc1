"""Watches a feed: everybody reads up to its end alone, and from there on one look serves all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from libs.errors import WaybillError
from libs.obs import get_logger
from libs.relay.change import ChangeFeed, Entry, Place

BATCH = 200
CHECKPOINT = 5.0
"""Seconds without news after which a watcher is given its place again."""
SHORTEST = 0.02
"""Seconds at least between two looks: many commits at the same time are one look."""
WAITING = 2_000
"""Changes that wait for one watcher at most; one who is slower reads alone again."""


class Placed(Protocol):
    """Something that stands in a feed."""

    @property
    def place(self) -> Place:
        """Where it stands."""
        ...


Item = TypeVar("Item", bound=Placed)
Wanted = TypeVar("Wanted")
Wanted_contra = TypeVar("Wanted_contra", contravariant=True)


class Source(Protocol[Item, Wanted_contra]):
    """A feed that is watched."""

    async def read(self, place: Place, wanted: Wanted_contra, limit: int) -> tuple[list[Item], Place]:
        """What follows a place and is wanted, and where to go on."""
        ...

    def ring(self, bell: Callable[[], None]) -> None:
        """Has `bell` called after every commit of this process that adds to the feed."""


@dataclass(slots=True, eq=False)
class _Watcher(Generic[Item, Wanted]):
    """What one watcher has yet to take."""

    wanted: Wanted
    entries: deque[Item] = field(default_factory=deque)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    """Nothing comes any more: the watcher was too slow, or the look failed."""

    def give(self, found: Sequence[Item]) -> None:
        if not self.closed and found:
            self.entries.extend(found)
            self.rung.set()
            if len(self.entries) > WAITING:
                self.close()

    def close(self) -> None:
        self.closed = True
        self.entries.clear()
        self.rung.set()


class SharedTail(Generic[Item, Wanted]):
    """The end of one feed in one process.

    While somebody waits there, one task looks for news: as soon as this process has committed some, and after every
    pause for what other processes have. What it finds is given to all who want it, so watchers cost no reads of their own.
    """

    def __init__(
        self,
        feed: Source[Item, Wanted],
        all: Wanted,
        takes: Callable[[Wanted, Item], bool],
        pause: float,
        checkpoint: float | None = None,
    ) -> None:
        """`all` wants everything; `takes` says what a look has found for one who wants less, as a read of the feed would.

        Times are in seconds: `pause` between two looks, `checkpoint` without news before a watcher is given its place again.
        """
        self._feed = feed
        self._all = all
        self._takes = takes
        self._pause = pause
        self._checkpoint = checkpoint
        self._rung = asyncio.Event()
        self._watchers: set[_Watcher[Item, Wanted]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._place: Place | None = None
        feed.ring(self._rung.set)

    async def watch(self, place: Place, wanted: Wanted) -> AsyncGenerator[tuple[Place, Item | None], None]:
        """What follows a place and is wanted, without end; or a place alone, up to which nothing more has come.

        Raises what the feed raises.
        """
        watcher: _Watcher[Item, Wanted] | None = None
        try:
            while True:
                found, place = await self._feed.read(place, wanted, BATCH)
                for entry in found:
                    yield entry.place, entry
                if found:
                    continue
                if watcher is None:
                    # It hears of all that comes from here on; what came in between is read once more.
                    watcher = self._join(place, wanted)
                    continue
                yield place, None
                async with aclosing(self._shared(watcher, place)) as shared:
                    async for place, news in shared:
                        yield place, news
                self._leave(watcher)
                watcher = None
        finally:
            if watcher is not None:
                self._leave(watcher)

    async def _shared(self, watcher: _Watcher[Item, Wanted], place: Place) -> AsyncGenerator[tuple[Place, Item | None], None]:
        """The news that a watcher is given, until it is closed."""
        now = asyncio.get_running_loop().time
        quiet = CHECKPOINT if self._checkpoint is None else self._checkpoint
        due = now() + quiet
        while not watcher.closed:
            watcher.rung.clear()
            while watcher.entries:
                entry = watcher.entries.popleft()
                if entry.place.position <= place.position:
                    continue
                place = entry.place
                yield place, entry
                due = now() + quiet
            if watcher.closed:
                return
            # All that was found up to the place of the look has been taken.
            if self._place is not None and self._place.position > place.position:
                place = self._place
            if now() >= due:
                yield place, None
                due = now() + quiet
            await _within(watcher.rung, due - now())

    def _join(self, place: Place, wanted: Wanted) -> _Watcher[Item, Wanted]:
        watcher = _Watcher[Item, Wanted](wanted)
        self._watchers.add(watcher)
        if self._looking is None:
            self._place = place
            # A context of its own: what it reads is no part of the call that came first.
            self._looking = asyncio.create_task(self._look(place), context=Context())
        return watcher

    def _leave(self, watcher: _Watcher[Item, Wanted]) -> None:
        self._watchers.discard(watcher)
        if not self._watchers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self, place: Place) -> None:
        try:
            while True:
                await _within(self._rung, self._pause)
                self._rung.clear()
                full = True
                while full:
                    found, place = await self._feed.read(place, self._all, BATCH)
                    self._place = place
                    for watcher in self._watchers:
                        watcher.give([entry for entry in found if self._takes(watcher.wanted, entry)])
                    full = len(found) == BATCH
                await asyncio.sleep(SHORTEST)
        except Exception as error:
            # Watchers read alone again: they are refused for the same reason, each by an error of its own.
            if not isinstance(error, WaybillError):
                get_logger("changes").error("the look at a feed failed", exc_info=error)
            if self._looking is asyncio.current_task():
                self._looking = None
                for watcher in self._watchers:
                    watcher.close()
                self._watchers.clear()


News = tuple[Place, Entry | None]
"""A change and its place; or a place alone, up to which nothing more has come."""


class Tail(SharedTail[Entry, Sequence[str]]):
    """The end of a feed of changes, of which a watcher wants those of some resources, or of all."""

    def __init__(self, feed: ChangeFeed, pause: float) -> None:
        """`pause` is in seconds."""
        super().__init__(feed, (), _of_resources, pause)


def _of_resources(resources: Sequence[str], entry: Entry) -> bool:
    return not resources or entry.change.resource in resources


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Waits for an event, so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
