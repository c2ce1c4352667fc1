"""What waits in fulfillment can be counted from outside."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.fulfillment.world import World, line, new_key
from tests.support.gauges import actions, gauges


async def test_reservations_count_until_they_are_ended_and_releases_are_counted(world: World) -> None:
    await world.stock(("a", "drill", "", 5))
    before = actions("fulfillment", "expiry", "released")
    assert await gauges(world.app) == {}
    await world.reserve(new_key(), line())
    await world.reserve(new_key(), line())
    assert await gauges(world.app) == {"waybill_reservations_outstanding/fulfillment/RESERVED": 2}
    world.clock.advance(timedelta(minutes=5))
    assert await world.background.expiry.once() == 2
    assert await gauges(world.app) == {}
    assert actions("fulfillment", "expiry", "released") == before + 2


async def test_reports_count_with_their_age_until_they_are_acknowledged(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    before = actions("fulfillment", "relay", "reported")
    world.orders.down = True
    await world.placed("PO1", line())
    world.clock.advance(timedelta(seconds=90))
    assert await gauges(world.app) == {"waybill_reports_pending": 1, "waybill_reports_oldest_seconds": 90}
    world.orders.down = False
    assert await world.background.reporting.relay_once() == 1
    assert await gauges(world.app) == {}
    assert actions("fulfillment", "relay", "reported") == before + 1
