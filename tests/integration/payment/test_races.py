"""Payments that are added or removed while their order is being submitted: part of it, or refused, never left beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.means.means_store import SqlMeansStore
from services.payment.adapters.db.payments.payment_store import SqlPaymentStore
from tests.integration.payment.world import World, payment

BLOCKED = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%payment_attempts%'")


class Pause:
    """A step inside a transaction that waits, once, until it may go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], Pause]:
    """Makes a method of a store wait after it was called."""

    def patch(owner: Any, name: str) -> Pause:
        original, pause = getattr(owner, name), Pause()

        async def waiting(*args: Any, **more: Any) -> Any:
            answer = await original(*args, **more)
            monkeypatch.setattr(owner, name, original)
            pause.reached.set()
            await pause.go_on.wait()
            return answer

        monkeypatch.setattr(owner, name, waiting)
        return pause

    return patch


async def meet(world: World, first: Any, pause: Pause, second: Any) -> tuple[Any, Any]:
    """What two calls answer, the second one begun while the first stands in its transaction.

    On PostgreSQL the first goes on when the second has come to wait for it, or has not waited and is done. SQLite has
    one writer.
    """
    one = asyncio.ensure_future(first)
    await pause.reached.wait()
    other = asyncio.ensure_future(second)
    if world.database.dialect == "postgresql":
        async with asyncio.timeout(30):
            while not other.done():
                async with world.database.reading() as tx:
                    if (await tx.execute(BLOCKED)).scalar():
                        break
    pause.go_on.set()
    return await one, (await asyncio.gather(other, return_exceptions=True))[0]


async def test_a_payment_that_is_being_added_when_a_reserve_begins_is_part_of_it(
    world: World, paused: Callable[[Any, str], Pause]
) -> None:
    order = world.order(100)
    adding = order.add(payment("p1", amount=40))
    _, reserved = await meet(world, adding, paused(SqlPaymentStore, "insert"), order.reserve(must_cover=False))
    assert [p.id for p in reserved.payments] == ["p1"]
    await order.confirm()
    assert await order.states() == ["CONFIRMED"]


async def test_a_payment_that_comes_after_a_reserve_is_refused_until_that_is_released(
    world: World, paused: Callable[[Any, str], Pause]
) -> None:
    order = world.order(100)
    pause = paused(SqlMeansStore, "hold")
    reserved, late = await meet(world, order.reserve(must_cover=False), pause, order.add(payment("p1", amount=40)))
    assert list(reserved.payments) == []
    assert isinstance(late, WaybillError)
    assert (late.kind, late.reason, late.metadata["attempt"]) == (Kind.STALE, "SUBMISSION_IN_PROGRESS", "1")
    await order.release()
    await order.add(payment("p1", amount=40))
    assert await order.states() == ["OPEN"]


async def test_a_confirmed_order_takes_no_further_payment(world: World) -> None:
    order = world.order(100)
    made = await order.add(payment("p1", amount=40), request_id="a")
    await order.reserve(must_cover=False)
    await order.confirm()
    for call in (order.add(payment("p2", amount=10)), order.remove("p1")):
        with pytest.raises(WaybillError) as refused:
            await call
        assert refused.value.reason == "SUBMISSION_IN_PROGRESS"
    assert [p.id for p in await order.add(payment("p1", amount=40), request_id="a")] == [p.id for p in made]
    assert await order.states() == ["CONFIRMED"]


async def test_an_attempt_that_was_only_validated_or_refused_lets_payments_in(world: World) -> None:
    order = world.order(100)
    await order.reserve(must_cover=False, validate_only=True)
    await order.add(payment("p1", amount=40))
    assert (await order.reserve(2)).problems
    await order.add(payment("p2"))
    assert not (await order.reserve(3)).problems
