"""One look at the end of a feed serves all who watch it: none misses a change, and none is given one twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime

import pytest

from libs.errors import WaybillError
from libs.relay import tail
from libs.relay.change import Cause, Change, Entry, FeedState, Place, position_lost
from libs.relay.feed import Position
from libs.relay.tail import News, Tail

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEVER = 3_600.0
"""A pause that no test lives to see the end of: looks come by bells alone."""
SOON = 0.001


def at(id: int) -> Place:
    return Place(Position(0, id), "")


class Feed:
    """A feed in memory that counts its reads."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.refusal: WaybillError | None = None
        """Of every read."""
        self.failing = 0
        """So many reads fail."""
        self.looked = asyncio.Event()
        self._bells: list[Callable[[], None]] = []

    def ring(self, bell: Callable[[], None]) -> None:
        self._bells.append(bell)

    def write(self, *resources: str, rings: bool = True) -> None:
        """A change of each; another process rings nothing."""
        for resource in resources:
            version = len(self.entries) + 1
            self.entries.append(Entry(at(version), Change(resource, resource, version, NOW), Cause()))
        if rings:
            for bell in self._bells:
                bell()

    async def read(self, place: Place, resources: Sequence[str], limit: int) -> tuple[list[Entry], Place]:
        self.reads += 1
        self.looked.set()
        if self.failing:
            self.failing -= 1
            raise ZeroDivisionError
        if self.refusal is not None:
            raise self.refusal
        later = [entry for entry in self.entries if entry.place.position > place.position]
        found = [entry for entry in later if not resources or entry.change.resource in resources][:limit]
        return found, found[-1].place if len(found) == limit else at(len(self.entries))

    async def oldest(self) -> Place:
        return at(0)

    async def latest(self) -> Place:
        return at(len(self.entries))

    async def state(self) -> FeedState:
        raise NotImplementedError

    async def switch(self, enabled: bool) -> None:
        raise NotImplementedError


class Watcher:
    """Takes what one watch brings."""

    def __init__(self, watched: Tail, place: Place, *resources: str) -> None:
        self._news: AsyncGenerator[News, None] = watched.watch(place, resources)
        self.place = place

    async def next(self) -> int:
        """The version that comes next; 0 for a place alone."""
        async with asyncio.timeout(30):
            self.place, entry = await anext(self._news)
        return 0 if entry is None else entry.change.version

    async def versions(self, count: int) -> list[int]:
        """The next versions, places alone left out."""
        found: list[int] = []
        while len(found) < count:
            if version := await self.next():
                found.append(version)
        return found

    async def leave(self) -> None:
        await self._news.aclose()


async def waiting(watched: Tail, place: Place, *resources: str) -> Watcher:
    """One who has read up to the end and waits there."""
    watcher = Watcher(watched, place, *resources)
    while await watcher.next():
        pass
    return watcher


async def test_fifty_watchers_at_the_end_cost_the_reads_of_one() -> None:
    feed = Feed()
    watched = Tail(feed, NEVER)
    watchers = [await waiting(watched, at(0)) for _ in range(50)]
    before = feed.reads
    for first in (1, 4):
        feed.write("product", "zone", "product")
        found = await asyncio.gather(*(watcher.versions(3) for watcher in watchers))
        assert found == [[first, first + 1, first + 2]] * 50
    assert feed.reads == before + 2


async def test_what_another_process_writes_is_found_after_a_pause() -> None:
    feed = Feed()
    watcher = await waiting(Tail(feed, SOON), at(0))
    feed.write("product", rings=False)
    assert await watcher.versions(1) == [1]


async def test_who_comes_while_news_is_not_looked_at_yet_is_given_it_once() -> None:
    feed = Feed()
    watched = Tail(feed, NEVER)
    early = await waiting(watched, at(0))
    feed.write("product", rings=False)
    late = Watcher(watched, at(0))
    assert await late.next() == 1
    assert await late.next() == 0
    feed.write("product")
    assert await late.versions(1) == [2]
    assert await early.versions(2) == [1, 2]


async def test_who_wants_other_resources_is_given_places_alone_and_they_move_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "CHECKPOINT", SOON)
    feed = Feed()
    watched = Tail(feed, NEVER)
    zones, everything = await waiting(watched, at(0), "zone"), await waiting(watched, at(0))
    feed.write("product", "product")
    await everything.versions(2)
    while zones.place != at(2):
        assert await zones.next() == 0
    feed.write("product", "zone")
    assert await zones.versions(1) == [4]


async def test_a_watcher_who_is_too_slow_reads_alone_again_and_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "WAITING", 2)
    feed = Feed()
    watched = Tail(feed, NEVER)
    slow, fast = await waiting(watched, at(0)), await waiting(watched, at(0))
    taken: list[int] = []
    for _ in range(5):
        feed.write("product")
        taken += await fast.versions(1)
    assert taken == [1, 2, 3, 4, 5]
    assert await slow.versions(5) == [1, 2, 3, 4, 5]
    feed.write("product")
    assert (await slow.versions(1), await fast.versions(1)) == ([6], [6])


async def test_nobody_is_too_slow_for_what_others_want(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "WAITING", 2)
    feed = Feed()
    zones = await waiting(Tail(feed, NEVER), at(0), "zone")
    before = feed.reads
    feed.write(*["product"] * 5, "zone")
    assert await zones.versions(1) == [6]
    assert feed.reads == before + 1


async def test_more_than_one_look_can_hold_is_given_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "BATCH", 2)
    feed = Feed()
    watcher = await waiting(Tail(feed, NEVER), at(0))
    feed.write(*["product"] * 5)
    assert await watcher.versions(5) == [1, 2, 3, 4, 5]


async def test_a_look_that_fails_once_is_taken_again() -> None:
    feed = Feed()
    watched = Tail(feed, NEVER)
    one, other = await waiting(watched, at(0)), await waiting(watched, at(0))
    feed.failing = 1
    feed.write("product")
    assert (await one.versions(1), await other.versions(1)) == ([1], [1])


async def test_a_lost_position_is_said_to_everybody_who_waits() -> None:
    feed = Feed()
    watched = Tail(feed, NEVER)
    watchers = [await waiting(watched, at(0)) for _ in range(2)]
    feed.refusal = position_lost("the feed was off")
    feed.write("product")
    for watcher in watchers:
        with pytest.raises(WaybillError) as refused:
            await watcher.next()
        assert refused.value.reason == "POSITION_LOST"


async def test_when_the_last_has_left_nobody_looks_and_the_next_who_comes_has_looks_taken_again() -> None:
    before = asyncio.all_tasks()
    feed = Feed()
    watched = Tail(feed, SOON)
    one, other = await waiting(watched, at(0)), await waiting(watched, at(0))
    await one.leave()
    feed.looked.clear()
    async with asyncio.timeout(30):
        await feed.looked.wait()
    await other.leave()
    if left := asyncio.all_tasks() - before:
        await asyncio.wait(left, timeout=30)
    assert asyncio.all_tasks() == before

    again = await waiting(watched, at(0))
    feed.write("product", rings=False)
    assert await again.versions(1) == [1]
