"""Payments that need attention while their order is open: the order service hears of each until it knows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from libs.invariants import Fact
from services.payment.adapters.db.tables import ALERTS
from tests.integration.payment.world import Order, World, opened


async def lapsed(world: World) -> Order:
    """An order whose card is not good for a second authorization."""
    order = await opened(world, "tok_once")
    await world.background.renew.once()
    assert await order.states() == ["ATTENTION"]
    return order


async def pending(world: World) -> list[tuple[int, bool]]:
    """Tries, and whether it is parked, of every alert that the order service does not know."""
    c = ALERTS.c
    async with world.database.reading() as tx:
        rows = await tx.execute(sa.select(c.report_tries, c.report_parked_time).where(c.report_time.is_not(None)))
        return [(row.report_tries, row.report_parked_time is not None) for row in rows]


async def test_the_order_service_gets_one_report_by_whatever_replica(world: World) -> None:
    order = await lapsed(world)
    assert sum(await asyncio.gather(*(world.background.alerts.once() for _ in range(4)))) == 1
    assert world.orders.alerts == [(order.key, "p1", "ATTENTION", "card_expired")]
    assert await pending(world) == []
    world.clock.advance(timedelta(hours=1))
    assert await world.background.alerts.once() == 0


async def test_an_alert_waits_for_an_order_service_that_does_not_answer(world: World) -> None:
    order = await lapsed(world)
    world.orders.down = True
    assert await world.background.alerts.once() == 1
    assert await pending(world) == [(1, False)]
    assert await world.background.alerts.once() == 0, "not at once"
    world.orders.down = False
    world.clock.advance(timedelta(seconds=2))
    assert await world.background.alerts.once() == 1
    assert [key for key, *_ in world.orders.alerts] == [order.key]
    assert await pending(world) == []


async def test_an_alert_of_an_order_that_nobody_knows_is_parked_in_the_end(world: World) -> None:
    order = await lapsed(world)
    world.orders.unknown.add(order.key)
    for n in range(1, 11):
        assert await world.background.alerts.once() == 1
        assert await pending(world) == [(n, n == 10)]
        world.clock.advance(timedelta(minutes=2))
    assert await world.background.alerts.once() == 0
    facts = [record async for record in world.app.inspected() if isinstance(record, Fact)]
    assert [f.values["finished"] for f in facts if f.kind == "alert"] == ["1"], "nothing of it is under way"
    (waiting,) = [f.values for f in facts if f.kind == "parked"]
    assert (waiting["kind"], waiting["id"], waiting["error"]) == ("payment_alert", "p1", "ORDER_UNKNOWN")


async def test_a_payment_without_trouble_is_not_reported(world: World) -> None:
    await opened(world)
    await world.background.renew.once()
    assert (await world.background.alerts.once(), world.orders.alerts) == (0, [])
