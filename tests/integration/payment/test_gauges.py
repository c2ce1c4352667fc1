"""What is unfinished in payment can be counted from outside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import GatewayTimeout
from tests.integration.payment.test_declared_types import ordered, outside
from tests.integration.payment.world import World, by_card, opened, record
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


async def test_a_payment_that_needs_a_person_counts_and_its_alert_until_the_order_service_knows(world: World) -> None:
    order = await opened(world, "tok_once")
    assert await gauges(world.app) == {}
    await world.background.renew.once()
    world.clock.advance(timedelta(seconds=7))
    world.orders.unknown.add(order.key)
    always = {"waybill_payments_attention": 1}
    waiting = {**always, "waybill_payment_alerts_pending": 1, "waybill_payment_alerts_oldest_seconds": 7}
    assert await gauges(world.app) == waiting
    while not (found := await gauges(world.app)).get("waybill_payment_alerts_parked"):
        assert await world.background.alerts.once() == 1
        world.clock.advance(timedelta(minutes=2))
    assert found["waybill_payment_alerts_pending"] == 1


async def test_what_waits_for_its_buyer_counts_and_what_cannot_be_ended_grows_old(world: World, monkeypatch: Any) -> None:
    await world.card("tok_redirect")
    order = world.order(100)
    await order.add(by_card("p1", "tok_redirect"))
    await order.start("p1")
    assert await gauges(world.app) == {"waybill_payment_redirects/ACTION_REQUIRED": 1}

    async def silent(*_: Any) -> Any:
        raise GatewayTimeout

    monkeypatch.setattr(TestGateway, "void", silent)
    await order.remove("p1")
    for _ in range(2):
        world.clock.advance(timedelta(seconds=20))
        assert await world.background.redirects.once() == 1
    ending = "waybill_payment_redirects"
    assert await gauges(world.app) == {f"{ending}/ENDING": 1, f"{ending}_ending_oldest_seconds": 40}
    monkeypatch.undo()
    world.clock.advance(timedelta(seconds=20))
    await world.background.redirects.once()
    assert await gauges(world.app) == {}


async def test_a_renewal_that_the_gateway_has_not_answered_counts(world: World) -> None:
    await opened(world, "tok_late_renewal")
    await world.background.renew.once()
    assert await gauges(world.app) == {"waybill_payment_transactions_pending/AUTHORIZE": 1}


async def test_what_has_to_go_back_outside_counts_until_that_is_recorded(world: World) -> None:
    await world.declared(acceptance="AT_ONCE")
    order = ordered(world)
    await order.add(outside("p1"))
    await order.reserve()
    await order.confirm()
    await record(world, "p1", "CAPTURE", 80)
    assert await gauges(world.app) == {}
    await order.lower(2, 60)
    world.clock.advance(timedelta(seconds=9))
    found = {"waybill_payments_to_refund": 1, "waybill_payments_to_refund_oldest_seconds": 9}
    assert await gauges(world.app) == found
    await record(world, "p1", "REFUND", 20)
    assert await gauges(world.app) == {}
