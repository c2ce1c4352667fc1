"""What is unfinished in payment can be counted from outside."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.payment.world import World, by_card
from tests.support.gauges import actions, gauges


async def test_attempts_count_until_they_are_ended_and_voids_until_the_gateway_answers(world: World) -> None:
    await world.card("tok_late_void")
    before = actions("payment", "settle", "voided")
    order = world.order(100)
    await order.add(by_card("p1", "tok_late_void"))
    assert await gauges(world.app) == {}
    await order.reserve()
    await order.authorize()
    assert await gauges(world.app) == {"waybill_reservations_outstanding/payment/RESERVED": 1}
    assert await order.release() == "RELEASED"
    assert await gauges(world.app) == {"waybill_payment_transactions_pending/VOID": 1}
    world.clock.advance(timedelta(seconds=60))
    assert await world.background.settle.once() == 1
    assert await gauges(world.app) == {}
    assert actions("payment", "settle", "voided") == before + 1
