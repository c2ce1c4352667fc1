"""When a refusal is answered later."""

from __future__ import annotations

import asyncio

import pytest

from libs.rpc.fairness.refusals import LONGEST, PAUSE, WAITING, Refusals
from libs.rpc.fairness.sources import Source

HERE, THERE = Source("192.0.2.1"), Source("192.0.2.2")


def test_some_come_at_once_and_the_rest_waits() -> None:
    refusals = Refusals(per_second=10)
    pauses = [refusals.pause("a", 100.0) for _ in range(42)]
    assert pauses == [0.0] * 40 + [PAUSE] * 2


def test_time_and_another_address_have_their_own() -> None:
    refusals = Refusals(per_second=10)
    for _ in range(40):
        refusals.pause("a", 100.0)
    assert refusals.pause("b", 100.0) == 0.0
    assert [refusals.pause("a", 100.5) for _ in range(6)] == [0.0] * 5 + [PAUSE]
    assert refusals.pause("a", 1_000.0) == 0.0


@pytest.mark.parametrize(("waiting", "pause"), [(0, PAUSE), (50, 2 * PAUSE), (1_000, LONGEST), (WAITING, 0.0)])
def test_the_more_wait_the_longer_each_and_memory_has_an_end(waiting: int, pause: float) -> None:
    refusals = Refusals(per_second=1)
    for _ in range(4):
        refusals.pause("a", 100.0)
    refusals.waiting = waiting
    assert refusals.pause("a", 100.0) == pause


async def test_whoever_waits_is_counted_until_answered_or_gone() -> None:
    refusals = Refusals(per_second=1)
    for _ in range(4):
        await refusals.before(HERE)
    waits = [asyncio.create_task(refusals.before(HERE)) for _ in range(3)]
    await asyncio.sleep(0)
    assert refusals.waiting == 3
    waits[0].cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert refusals.waiting == 0
    await refusals.before(THERE)


async def test_a_proxy_that_says_of_nobody_whom_it_calls_for_does_not_wait() -> None:
    refusals = Refusals(per_second=1)
    proxy = Source("192.0.2.3", shared=True)
    for _ in range(100):
        await asyncio.wait_for(refusals.before(proxy), PAUSE / 2)
    assert refusals.waiting == 0


def test_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.rpc.fairness.refusals.SOURCES", 2)
    refusals = Refusals(per_second=1)
    for name in ("a", "b", "a", "c"):
        refusals.pause(name, 100.0)
    assert [refusals.pause("a", 100.0) for _ in range(3)] == [0.0, 0.0, PAUSE]
    # It was refused longest ago, and begins anew.
    assert [refusals.pause("b", 100.0) for _ in range(4)] == [0.0] * 4
