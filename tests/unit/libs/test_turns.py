"""Whose call begins next, and that nobody is forgotten or remembered for ever."""

from __future__ import annotations

import asyncio

import pytest

from libs.rpc.fairness import turns as module
from libs.rpc.fairness.turns import Turn, Turns


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was here is so for ever, nothing is ever overdue, and nothing more comes from gRPC."""
    for name, value in (("SHARED", 1e9), ("PATIENCE", 1e9), ("QUIET", 0.0)):
        monkeypatch.setattr(module, name, value)


class Calls:
    """Calls by name, the first letter of which is their user, and the order in which they began."""

    def __init__(self, alone: int = 3) -> None:
        self.turns = Turns(alone)
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.running: dict[str, Turn] = {}

    async def call(self, name: str) -> None:
        self.running[name] = await self.turns.take(name[0])
        self.begun.append(name)

    async def come(self, *names: str) -> str:
        """They ask for a turn; says which have begun by then."""
        for name in names:
            self.tasks[name] = asyncio.create_task(self.call(name))
        return await self.seen()

    async def end(self, *names: str) -> str:
        """They have ended."""
        for name in names:
            self.turns.give_back(self.running.pop(name))
        return await self.seen()

    async def seen(self) -> str:
        """Those that run."""
        for _ in range(50):
            await asyncio.sleep(0)
        return " ".join(self.running)


async def test_a_user_who_is_alone_has_several_calls_and_the_others_follow_in_their_order() -> None:
    calls = Calls(alone=3)
    assert await calls.come("a1", "a2", "a3", "a4", "a5") == "a1 a2 a3"
    assert await calls.end("a2") == "a1 a3 a4"
    assert await calls.end("a1", "a3") == "a4 a5"


async def test_while_there_are_several_each_has_one() -> None:
    calls = Calls(alone=3)
    await calls.come("a1", "a2", "a3", "a4", "a5")
    assert await calls.come("b1", "b2") == "a1 a2 a3 b1"
    assert await calls.end("a1", "a2") == "a3 b1"
    # One more of either as soon as the other one's call, which ran by then, is through.
    assert await calls.end("a3") == "b1"
    assert await calls.end("b1") == "a4 b2"


async def test_however_many_one_has_waiting_anothers_call_begins_at_once_and_meets_one_of_them() -> None:
    calls = Calls(alone=1)
    await calls.come(*(f"a{number}" for number in range(100)))
    assert calls.begun == ["a0"]
    for number in range(5):
        assert await calls.come(f"b{number}") == f"a{number} b{number}"
        assert await calls.end(f"a{number}") == f"b{number}"
        assert await calls.end(f"b{number}") == f"a{number + 1}"
    assert calls.turns.waiting == 94


async def test_the_next_call_waits_for_those_that_ran_and_not_for_those_that_came_later() -> None:
    calls = Calls()
    await calls.come("b1", "a1", "a2")
    assert calls.begun == ["b1", "a1"]
    await calls.end("a1")
    assert await calls.come("c1", "d1") == "b1 c1 d1"
    assert await calls.end("b1") == "c1 d1 a2"


async def test_several_who_flood_have_as_many_calls_as_each_other() -> None:
    calls = Calls()
    await calls.come(*(f"{user}{number}" for user in "abc" for number in range(20)))
    while len(calls.begun) < 30:
        await calls.end((await calls.seen()).split()[0])
    counts = [sum(name[0] == user for name in calls.begun) for user in "abc"]
    assert max(counts) - min(counts) <= 1


async def test_a_call_that_is_given_up_lets_the_next_one_begin_and_leaves_nothing() -> None:
    calls = Calls(alone=1)
    await calls.come("a1", "a2", "a3", "a4")
    calls.tasks["a2"].cancel()
    assert await calls.end("a1") == "a3"
    # Given up between the moment at which it is chosen and its next step; and while it is the last that waits.
    await calls.end("a3")
    calls.tasks["a5"] = asyncio.create_task(calls.call("a5"))
    await calls.seen()
    calls.tasks["a5"].cancel()
    await calls.end("a4")
    assert (len(calls.turns), calls.turns.waiting) == (0, 0)
    assert calls.turns.users == set()


async def test_a_call_that_is_given_up_as_its_turn_comes_gives_it_back() -> None:
    calls = Calls(alone=1)
    await calls.come("a1", "a2", "a3")
    calls.turns.give_back(calls.running.pop("a1"))
    calls.turns.choose(0.0)
    calls.tasks["a2"].cancel()
    assert await calls.seen() == "a3"
    assert len(calls.turns) == 1


async def test_a_call_that_another_one_waits_for_begins_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    calls = Calls(alone=1)
    await calls.come("a1", "b1", "b2")
    await asyncio.wait_for(calls.tasks["b2"], 30)
    assert calls.begun == ["a1", "b1", "b2"]


async def test_while_there_is_room_each_of_several_has_more_than_one_and_none_is_kept_waiting_for_anothers() -> None:
    calls = Calls(alone=4)
    calls.turns.room.calls = 3
    await calls.come("b1", "a1", "a2", "a3", "a4", "a5")
    assert calls.begun == ["b1", "a1", "a2", "a3"]
    assert await calls.end("a2") == "b1 a1 a3 a4"
    assert await calls.come("b2", "b3", "b4") == "b1 a1 a3 a4 b2 b3"
    # When it becomes busy no more begins until each has fewer.
    calls.turns.room.calls = 1
    assert await calls.end("a1", "b1") == "a3 a4 b2 b3"
