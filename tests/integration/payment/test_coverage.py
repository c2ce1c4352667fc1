"""Payments above the total of an order whose channel admits them."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from tests.integration.payment.world import World, by_card, capture, from_account, payment, reasons, state, units


async def test_what_is_above_the_total_is_not_taken_of_the_payments_that_came_last(world: World) -> None:
    await world.account("gift", 100)
    await world.card()
    order = world.order(100)
    order.may_exceed = True
    await order.opened(from_account("p1", "gift", 80), by_card("p2", "tok_approve", 60), payment("p3", amount=10))
    paid = await order.payments()
    assert [(state(p), units(p.amount), units(p.resolved_amount), units(p.due_amount)) for p in paid] == [
        ("CONFIRMED", 80, 80, 80),
        ("CONFIRMED", 60, 20, 20),
        ("CONFIRMED", 10, 0, 0),
    ]
    assert units((await capture(world, "p2")).captured_amount) == 20
    await order.void()
    assert await world.balance() == (100, 0)


async def test_a_submit_judges_the_sum_by_what_the_channel_admits_then(world: World) -> None:
    order = world.order(100)
    order.may_exceed = True
    await order.add(payment("p1", amount=90))
    await order.update(payment("p1", "", 120))
    order.may_exceed = False
    assert reasons((await order.reserve(validate_only=True)).problems) == ["PAYMENT_EXCEEDS_TOTAL"]
    with pytest.raises(WaybillError) as error:
        await order.add(payment("p2", amount=1))
    assert error.value.reason == "PAYMENT_EXCEEDS_TOTAL"
    order.total, order.may_exceed = 130, True
    assert reasons((await order.reserve(validate_only=True)).problems) == ["PAYMENTS_BELOW_TOTAL"]
    assert not (await order.reserve(must_cover=False)).problems
    await order.release()
    order.total = 50
    assert not (await order.reserve(2)).problems
    await order.release(2)
    await order.update(payment("p1", "", 50))
    assert not (await order.reserve(3)).problems, "what an earlier attempt did not take is forgotten"
