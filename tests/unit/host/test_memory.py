"""When a process gives back what a flood has left."""

from __future__ import annotations

import pytest

from services.host.process.memory import GROWN, PAUSE, QUIET, Heap, resident, trim

REST, WORK = 100 * 2**20, QUIET * PAUSE


class Process:
    """Of which everything above `needs` is free."""

    def __init__(self) -> None:
        self.needs = self.size = REST
        self.busy = 0.0
        self.asked = 0
        self.heap = Heap(self.give_back, lambda: self.size, lambda: self.busy)

    def give_back(self) -> None:
        self.asked += 1
        self.size = self.needs

    async def look(self, size: int, work: float = 0.0) -> int:
        """After it has become so large and worked so much; says how often it was asked to give something back by then."""
        self.size, self.busy = size, self.busy + work
        await self.heap.look()
        return self.asked


@pytest.mark.parametrize(
    ("size", "work", "asked"),
    [
        (REST, 0.0, 0),
        (REST + GROWN - 1, 0.0, 0),
        (REST + GROWN, 0.0, 1),
        (REST + GROWN, WORK, 0),
        (REST + 10 * GROWN, WORK / 2, 1),
    ],
)
async def test_it_is_given_back_when_the_process_has_grown_and_is_quiet(size: int, work: float, asked: int) -> None:
    assert await Process().look(size, work) == asked


async def test_after_a_flood_it_is_given_back_once() -> None:
    process = Process()
    asked = [await process.look(REST + GROWN * number, WORK) for number in range(5)]
    assert asked == [0] * 5
    assert [await process.look(process.size) for _ in range(3)] == [1, 1, 1]
    assert process.size == REST


async def test_who_needs_it_is_not_asked_again_and_again() -> None:
    process = Process()
    process.needs = REST + 5 * GROWN
    assert [await process.look(process.needs) for _ in range(3)] == [1, 1, 1]
    # It needs less by itself, and then as much again.
    process.needs = REST
    assert await process.look(REST) == 1
    assert await process.look(REST + GROWN) == 2


def test_the_process_of_this_test_has_a_size_and_is_asked_without_harm() -> None:
    asked = trim()
    if asked is not None:
        assert asked() in (0, 1)
        assert resident() > 0
