"""Payments of an open order that take the place of one which needs attention."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from tests.integration.payment.world import (
    Order,
    World,
    by_card,
    capture,
    from_account,
    held_at_gateway,
    later,
    opened,
    payment,
    state,
    units,
    void_payment,
)
from waybill.payment.v1 import order_payment_service_pb2 as pb
from waybill.payment.v1 import payment_pb2 as pay


async def replaced(order: Order, *payments: pay.Payment, request_id: str = "") -> list[pay.Payment]:
    """Adds payments to an open order."""
    request = pb.CreatePaymentsRequest(
        **order.reference(), payments=payments, request_id=request_id, replacement=True, order_version=1
    )
    return list((await order.world.payments.CreatePayments(request)).payments)


async def in_need(world: World) -> Order:
    """An order of 100 whose card was not renewed, while its old authorization is good."""
    order = await opened(world, "tok_once")
    await world.background.renew.once()
    await later(world)
    assert await order.states() == ["ATTENTION"]
    return order


async def test_a_card_that_is_good_takes_the_place_of_one_that_needs_attention(world: World) -> None:
    order = await in_need(world)
    await world.card("tok_approve")
    (made,) = await replaced(order, by_card("p2", "tok_approve"), request_id="r1")
    assert (state(made), units(made.resolved_amount)) == ("CONFIRMED", 100)
    await later(world)
    assert await order.states() == ["VOIDED", "CONFIRMED"]
    assert await held_at_gateway(world) == ["tok_approve"]
    (again,) = await replaced(order, by_card("p2", "tok_approve"), request_id="r1")
    assert (again.id, len(await order.payments())) == ("p2", 2)


async def test_an_account_and_a_promise_take_over_at_once_and_no_more_than_there_is_to_replace(world: World) -> None:
    await world.account(balance=50)
    order = await in_need(world)
    with pytest.raises(WaybillError) as above:
        await replaced(order, payment("p2", amount=101))
    assert above.value.reason == "PAYMENT_EXCEEDS_TOTAL"
    with pytest.raises(WaybillError) as short:
        await replaced(order, from_account("p2", "gift", 51))
    assert (short.value.reason, short.value.metadata) == ("BALANCE_EXCEEDED", {"spending_account": "gift"})
    await replaced(order, from_account("p2", "gift", 30))
    assert (await world.balance(), await order.states()) == ((20, 0), ["ATTENTION", "CONFIRMED"])
    await replaced(order, payment("p3"))
    await later(world)
    assert await order.states() == ["VOIDED", "CONFIRMED", "CONFIRMED"]
    with pytest.raises(WaybillError) as none:
        await replaced(order, payment("p4"))
    assert none.value.reason == "PAYMENT_NOT_REPLACEABLE"


@pytest.mark.parametrize(
    ("token", "at_once", "at_last"),
    [
        ("tok_decline", ["ATTENTION", "VOIDED"], ["ATTENTION", "VOIDED"]),
        ("tok_late", ["ATTENTION", "AUTHORIZING"], ["VOIDED", "CONFIRMED"]),
    ],
)
async def test_the_old_payment_stays_until_the_new_one_is_good(world: World, token: str, at_once: Any, at_last: Any) -> None:
    order = await in_need(world)
    await world.card(token)
    await replaced(order, by_card("p2", token))
    assert await order.states() == at_once
    for _ in range(3):
        await later(world)
    assert await order.states() == at_last


async def test_a_replacement_that_is_under_way_ends_with_its_order(world: World) -> None:
    order = await in_need(world)
    await world.card("tok_late")
    await replaced(order, by_card("p2", "tok_late"))
    await order.void()
    for _ in range(3):
        await later(world)
    assert (await order.states(), await held_at_gateway(world)) == (["VOIDED", "VOIDED"], [])


async def test_what_was_replaced_is_part_of_an_open_order_and_cannot_be_removed(world: World) -> None:
    order = await in_need(world)
    await replaced(order, payment("p2"))
    await later(world)
    before = await order.payments()
    assert [state(p) for p in before] == ["VOIDED", "CONFIRMED"]
    for ended in (False, True):
        if ended:
            await order.void()
            before = await order.payments()
        with pytest.raises(WaybillError) as refused:
            await order.remove("p1", request_id="r1")
        assert (refused.value.reason, refused.value.metadata["attempt"]) == ("SUBMISSION_IN_PROGRESS", "1")
        assert await order.payments() == before


async def test_an_open_order_goes_on_owing_what_a_seller_gave_back_of_its_card(world: World) -> None:
    await world.card("tok_late_void")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_void"))
    await capture(world, "p1", 25)
    voided = await void_payment(world, "p1", "v1")
    assert (state(voided), units(voided.due_amount)) == ("ATTENTION", 100)
    await later(world)
    assert await held_at_gateway(world) == []
    assert await void_payment(world, "p1", "v2") == (await order.payments())[0], "there is nothing left to give back"
    await world.background.alerts.once()
    assert [(payment, state) for _, payment, state, _ in world.orders.alerts] == [("p1", "ATTENTION")]
    (promised,) = await replaced(order, payment("p2"))
    assert (state(promised), units(promised.due_amount)) == ("CONFIRMED", 75)
    assert await order.states() == ["CAPTURED", "CONFIRMED"]
