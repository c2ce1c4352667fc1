"""Background loops go on whatever happens, and log trouble without end quietly."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from libs.errors import Kind, WaybillError
from libs.obs import get_logger, metrics
from libs.service import loops
from libs.service.loops import REPEAT, Loop, Trouble, forever, one_by_one
from tests.support.logs import lines, log

__all__ = ["log"]
UNAVAILABLE = WaybillError(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database does not answer")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "AGAIN", 0.0)


async def looks(*ends: BaseException | None) -> int:
    """How many looks a loop takes of which each ends so; the one after them ends the loop."""
    taken = 0
    enough = asyncio.Event()

    async def once() -> None:
        nonlocal taken
        taken += 1
        if taken > len(ends):
            enough.set()
            await asyncio.Event().wait()
        end = ends[taken - 1]
        if end is not None:
            raise end

    task = asyncio.create_task(forever("order", Loop("look", once, 0.0), get_logger("test")))
    await asyncio.wait_for(enough.wait(), 5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled(), "nothing but its cancellation ends it"
    return taken


async def test_a_rare_look_is_taken_soon_after_the_start_as_well() -> None:
    looked = asyncio.Event()

    async def once() -> None:
        looked.set()

    task = asyncio.create_task(forever("order", Loop("forget", once, 3_600.0, 0.0), get_logger("test")))
    await asyncio.wait_for(looked.wait(), 5)
    task.cancel()


def logged(log: io.StringIO) -> list[tuple[str, Any]]:
    return [(line["event"], line.get("failures")) for line in lines(log)]


def failures() -> float:
    return metrics.REGISTRY.get_sample_value("waybill_loop_failures_total", {"service": "order"}) or 0.0


@pytest.mark.parametrize(
    "error",
    [UNAVAILABLE, RuntimeError("a defect"), TimeoutError(), asyncio.CancelledError(), StopAsyncIteration()],
    ids=lambda error: type(error).__name__,
)
async def test_no_error_ends_a_loop(error: BaseException) -> None:
    before = failures()
    assert await looks(error, None, error) == 4
    assert failures() == before + 2


async def test_a_database_that_is_away_is_one_line_and_another_when_it_is_back(log: io.StringIO) -> None:
    await looks(*[UNAVAILABLE] * 50, None, None)
    assert logged(log) == [("background loop postponed", 1), ("background loop goes on", 50)]
    assert all("exception" not in line for line in lines(log))
    assert (lines(log)[0]["reason"], lines(log)[0]["loop"]) == ("DATABASE_UNAVAILABLE", "look")


async def test_a_defect_has_its_traceback_once_and_another_defect_its_own(log: io.StringIO) -> None:
    def other() -> RuntimeError:
        try:
            raise RuntimeError("elsewhere")
        except RuntimeError as error:
            return error

    await looks(RuntimeError("row 1"), RuntimeError("row 2"), ValueError("x"), UNAVAILABLE, other())
    assert logged(log) == [
        ("background loop failed", 1),
        ("background loop failed", 3),
        ("background loop postponed", 4),
        ("background loop failed", 5),
    ]
    assert ["Traceback" in line.get("exception", "") for line in lines(log)] == [True, True, False, True]


def test_trouble_that_lasts_is_logged_again_each_minute(log: io.StringIO) -> None:
    now = 0.0
    trouble = Trouble(get_logger("test"), lambda: now)
    for _ in range(int(3 * REPEAT)):
        trouble.met(UNAVAILABLE)
        now += 1
    assert [failures for _, failures in logged(log)] == [1, 61, 121]
    for _ in range(int(REPEAT) + 1):
        trouble.met(RuntimeError("a defect"))
        now += 1
    assert logged(log)[3:] == [("background loop failed", 181), ("background loop still fails", 241)]


class Noted:
    """What failed by what, and what went well."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []
        self.fine: list[str] = []

    async def failed(self, item: str, why: str) -> None:
        self.failures.append((item, why))
        if item == "a":
            raise UNAVAILABLE

    async def went(self, item: str) -> None:
        self.fine.append(item)


def acting(*failing: tuple[str, Exception]) -> tuple[list[str], Callable[[str], Awaitable[bool]]]:
    seen: list[str] = []

    async def act(item: str) -> bool:
        seen.append(item)
        if item in dict(failing):
            raise dict(failing)[item]
        return item != "idle"

    return seen, act


async def test_what_one_item_fails_by_keeps_no_other_waiting(log: io.StringIO) -> None:
    defect = WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "order did not answer", defect=True)
    rule = WaybillError(Kind.PRECONDITION, "ATTEMPT_ENDED", "no")
    seen, act = acting(("a", RuntimeError("x")), ("b", defect), ("c", rule))
    tries = Noted()
    assert await one_by_one(["a", "b", "c", "idle", "d", "e"], act, get_logger("test"), tries) == 2
    assert seen == ["a", "b", "c", "idle", "d", "e"]
    assert [(line["event"], line["item"]) for line in lines(log)] == [
        ("failed", "a"),
        ("failure not noted", "a"),
        ("postponed", "b"),
        ("postponed", "c"),
    ]
    assert tries.failures == [("a", "RuntimeError"), ("b", "DEPENDENCY_UNAVAILABLE"), ("c", "ATTEMPT_ENDED")]
    assert tries.fine == ["idle", "d", "e"]


async def test_the_rest_is_left_when_nobody_answers() -> None:
    seen, act = acting(("b", UNAVAILABLE))
    tries = Noted()
    assert await one_by_one(["a", "b", "c"], act, get_logger("test"), tries) == 1
    assert seen == ["a", "b"]
