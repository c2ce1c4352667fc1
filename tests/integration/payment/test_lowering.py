"""What payments stand for when an order owes less, and what a seller lets go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.errors import WaybillError
from tests.integration.payment.world import (
    SOON,
    World,
    by_card,
    capture,
    from_account,
    held_at_gateway,
    later,
    opened,
    payment,
    refund,
    state,
    transactions,
    units,
    void_payment,
)


async def test_an_order_that_owes_less_lets_go_of_cards_first_then_of_promises_then_of_accounts(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(100)
    await order.opened(from_account("p1", "gift", 30), payment("p2", amount=40), by_card("p3", "tok_approve"))
    after = await order.lower(3, 50)
    assert [(state(p), units(p.due_amount)) for p in after] == [("CONFIRMED", 30), ("CONFIRMED", 20), ("VOIDED", 0)]
    assert [units(p.refunded_amount) for p in after] == [0, 20, 0]
    assert await held_at_gateway(world) == []
    assert [units(p.due_amount) for p in await order.lower(3, 10)] == [30, 20, 0], "the attempt was applied"
    assert [units(p.due_amount) for p in await order.lower(2, 10)] == [30, 20, 0], "a newer attempt was applied"
    assert [(state(p), units(p.due_amount)) for p in await order.lower(4, 10)][:2] == [("CONFIRMED", 10), ("REFUNDED", 0)]
    assert await world.balance() == (40, 0)


async def test_what_was_captured_beyond_what_is_due_goes_back_less_what_a_person_gave(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    await capture(world, "p1", 80)
    await refund(world, "p1", 15)
    (paid,) = await order.lower(2, 60)
    assert (state(paid), units(paid.due_amount), units(paid.refunded_amount)) == ("CAPTURED", 60, 20)
    assert await held_at_gateway(world) == []
    with pytest.raises(WaybillError) as refused:
        await capture(world, "p1", 1)
    assert refused.value.reason == "CAPTURE_EXCEEDS_AUTHORIZATION"


async def test_what_a_person_gave_back_of_an_account_costs_no_card_its_hold(world: World) -> None:
    await world.account(balance=60)
    await world.card()
    order = world.order(100)
    await order.opened(from_account("p1", "gift", 60), by_card("p2", "tok_approve"))
    await refund(world, "p1", 50)
    after = await order.lower(2, 50)
    assert [(state(p), units(p.due_amount), units(p.refunded_amount)) for p in after] == [
        ("CONFIRMED", 10, 50),
        ("CONFIRMED", 40, 0),
    ]
    assert state(await capture(world, "p2", 40)) == "CAPTURED"
    assert await world.balance() == (50, 0)


async def test_a_capture_under_way_that_comes_through_beyond_what_is_due_goes_back(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    with pytest.raises(WaybillError, match="did not answer"):
        await capture(world, "p1", 80)
    await order.lower(2, 50)
    for _ in range(3):
        await later(world)
    (paid,) = await order.payments()
    assert (state(paid), units(paid.captured_amount), units(paid.refunded_amount)) == ("CAPTURED", 80, 30)
    assert await held_at_gateway(world) == []


async def test_the_rest_can_be_captured_after_a_full_refund_and_is_voided_by_a_cancel(world: World) -> None:
    await world.card()
    order = world.order(109)
    await order.opened(by_card("p1", "tok_approve"))
    await capture(world, "p1", 60)
    assert state(await refund(world, "p1", 60)) == "CAPTURED"
    assert units((await capture(world, "p1", 9)).captured_amount) == 69
    assert state(await refund(world, "p1")) == "CAPTURED"
    (paid,) = await order.void()
    assert (state(paid), units(paid.due_amount)) == ("REFUNDED", 0)
    assert await held_at_gateway(world) == []


async def test_a_seller_gives_back_what_is_not_captured(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve", 40), by_card("p2", "tok_approve"))
    await capture(world, "p2", 25)
    world.orders.ended.add(order.key)
    for _ in range(2):
        assert state(await void_payment(world, "p1", "v1")) == "VOIDED"
        assert state(await void_payment(world, "p2", "v2")) == "CAPTURED"
    assert await held_at_gateway(world) == []
    assert state(await refund(world, "p2")) == "REFUNDED"


async def test_a_void_waits_for_the_order_service_to_say_whether_the_order_has_ended(world: World) -> None:
    order = await opened(world)
    world.orders.down = True
    with pytest.raises(WaybillError, match="not now"):
        await void_payment(world, "p1")
    assert await order.states() == ["CONFIRMED"]


async def test_what_no_gateway_holds_is_not_voided(world: World) -> None:
    order = world.order(100)
    await order.opened(payment("p1"))
    with pytest.raises(WaybillError) as refused:
        await void_payment(world, "p1")
    assert refused.value.reason == "PAYMENT_STATE_CONFLICT"


async def test_what_is_left_of_a_captured_authorization_is_renewed_for_that_much(world: World) -> None:
    order = await opened(world)
    await capture(world, "p1", 60)
    assert await world.background.renew.once() == 1
    await later(world)
    (paid,) = await order.payments()
    assert (state(paid), units(paid.transactions[-2].amount)) == ("CAPTURED", 40)
    assert units((await capture(world, "p1")).captured_amount) == 100
    assert state(await refund(world, "p1")) == "REFUNDED", "each authorization gives back what it gave"


async def test_while_the_old_authorization_is_good_it_can_be_captured_although_its_renewal_was_declined(world: World) -> None:
    order = await opened(world, "tok_once")
    await world.background.renew.once()
    assert await order.states() == ["ATTENTION"]
    assert state(await capture(world, "p1", 60)) == "ATTENTION"
    assert state(await capture(world, "p1")) == "CAPTURED"


async def test_an_authorization_that_lapses_although_it_is_needed_needs_a_person(world: World) -> None:
    order = await opened(world)
    await capture(world, "p1", 60)
    world.clock.advance(timedelta(days=7))
    await world.background.renew.once()
    (paid,) = await order.payments()
    assert (state(paid), transactions(paid)[-1], units(paid.transactions[-1].amount)) == ("ATTENTION", "LAPSE SUCCEEDED", 40)
    world.orders.ended.add(order.key)
    assert state(await void_payment(world, "p1")) == "CAPTURED"


async def test_of_an_order_that_has_ended_nothing_is_renewed_and_what_lapses_is_recorded(world: World) -> None:
    order = await opened(world)
    world.orders.ended.add(order.key)
    assert await world.background.renew.once() == 0
    assert await order.states() == ["CONFIRMED"]
    world.clock.advance(SOON)
    assert await world.background.renew.once() == 0
    (paid,) = await order.payments()
    assert (state(paid), transactions(paid)[-1]) == ("VOIDED", "LAPSE SUCCEEDED")


async def test_while_the_order_service_does_not_answer_nothing_is_renewed(world: World) -> None:
    await opened(world)
    world.orders.down = True
    assert await world.background.renew.once() == 0
    world.orders.down = False
    assert await world.background.renew.once() == 1


async def test_the_late_answer_to_an_old_void_ends_only_what_its_key_names(world: World) -> None:
    order = await opened(world, "tok_late_void")
    await world.background.renew.once()
    await order.void()
    assert await order.states() == ["VOID_PENDING"]
    for _ in range(4):
        await later(world)
    assert await order.states() == ["VOIDED"]
    assert await held_at_gateway(world) == []
