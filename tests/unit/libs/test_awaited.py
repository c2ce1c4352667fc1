"""One look serves all calls that wait in a process; nothing looks while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

import pytest

from libs.relay.awaited import SharedLooks

NEVER = 3_600.0
"""A pause that no test lives to see the end of: looks come by bells alone."""
SOON = 0.001


class Versions:
    """Versions in memory. It counts the looks, and what each was for."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.asked: list[set[str]] = []
        self.failing = False
        self.looked = asyncio.Event()
        self._bells: list[Callable[[], None]] = []

    def ring(self, bell: Callable[[], None]) -> None:
        self._bells.append(bell)

    def commit(self, id: str, version: int) -> None:
        self.versions[id] = version
        for bell in self._bells:
            bell()

    async def read(self, ids: Collection[str]) -> Mapping[str, int]:
        self.asked.append(set(ids))
        self.looked.set()
        if self.failing:
            raise ZeroDivisionError
        return {id: self.versions[id] for id in ids if id in self.versions}

    async def look(self) -> None:
        self.looked.clear()
        async with asyncio.timeout(30):
            await self.looked.wait()


async def comes(looks: SharedLooks[int], id: str, version: int, seconds: float = 30.0) -> bool:
    with looks.awaiting(id, lambda there: there >= version) as awaited:
        return await awaited.within(seconds)


def looking() -> int:
    return sum(1 for task in asyncio.all_tasks() if "SharedLooks._look" in repr(task.get_coro()))


async def test_all_that_wait_are_looked_for_at_once() -> None:
    versions = Versions()
    looks = SharedLooks(versions, SOON, SOON)
    calls = [asyncio.create_task(comes(looks, f"o{n % 50}", 2)) for n in range(250)]
    await versions.look()
    await versions.look()
    assert versions.asked[-1] == {f"o{n}" for n in range(50)}
    assert looking() == 1
    for n in range(50):
        versions.commit(f"o{n}", 2)
    assert await asyncio.gather(*calls) == [True] * 250


async def test_nothing_looks_once_nobody_waits() -> None:
    looks = SharedLooks(Versions(), SOON, SOON)
    calls = [asyncio.create_task(comes(looks, "o", 1)) for _ in range(3)]
    calls.append(asyncio.create_task(comes(looks, "o", 1, SOON)))
    assert await calls.pop() is False
    for call in calls:
        call.cancel()
    assert [type(error) for error in await asyncio.gather(*calls, return_exceptions=True)] == [asyncio.CancelledError] * 3
    await asyncio.sleep(0)
    assert looking() == 0


async def test_a_commit_of_this_process_is_looked_for_at_once() -> None:
    versions = Versions()
    looks = SharedLooks(versions, NEVER, NEVER)
    call = asyncio.create_task(comes(looks, "o", 1))
    while not looking():
        await asyncio.sleep(0)
    versions.commit("o", 1)
    assert await call


async def test_what_another_process_writes_is_found_after_a_pause() -> None:
    versions = Versions()
    call = asyncio.create_task(comes(SharedLooks(versions, SOON, SOON), "o", 1))
    await versions.look()
    versions.versions["o"] = 1
    assert await call


async def test_who_could_not_use_what_came_is_woken_again_only_by_something_else() -> None:
    versions = Versions()
    looks = SharedLooks(versions, SOON, SOON)
    versions.versions["o"] = 5
    with looks.awaiting("o", lambda there: there >= 2) as awaited:
        assert await awaited.within(30.0)
        assert not await awaited.within(0.05)
        versions.commit("o", 6)
        assert await awaited.within(30.0)


async def test_what_comes_while_the_woken_call_looks_itself_is_not_missed() -> None:
    versions = Versions()
    looks = SharedLooks(versions, SOON, SOON)
    with looks.awaiting("o", lambda there: there >= 1) as awaited:
        versions.commit("o", 1)
        assert await awaited.within(30.0)
        versions.commit("o", 2)
        await versions.look()
        await versions.look()
        versions.failing = True
        assert await awaited.within(30.0)


@pytest.mark.parametrize("again", [False, True])
async def test_where_the_looks_fail_all_look_themselves_and_then_wait_again(again: bool) -> None:
    versions = Versions()
    looks = SharedLooks(versions, SOON, SOON)
    versions.failing = True
    with looks.awaiting("o", lambda there: there >= 1) as awaited:
        assert await awaited.within(30.0)
        assert looking() == 0
        versions.failing = again
        versions.versions["o"] = 1
        assert await awaited.within(30.0)
