"""What has shipped is taken: of accounts and promises it is, cards are charged what is missing, and nothing twice."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.payment.test_replacement import replaced
from tests.integration.payment.world import (
    World,
    by_card,
    from_account,
    held_at_gateway,
    later,
    payment,
    refund,
    state,
    transactions,
    units,
    void_payment,
)


async def test_accounts_and_promises_count_as_taken_and_the_oldest_card_is_charged_first(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(100)
    await order.opened(
        by_card("p1", "tok_approve", 30), from_account("p2", "gift", 20), payment("p3", amount=10), by_card("p4", "tok_approve")
    )
    assert await order.capture_shipped(30) == ([0, 0, 0, 0], 0)
    assert await order.capture_shipped(50) == ([20, 0, 0, 0], 0)
    assert await order.capture_shipped(50) == ([20, 0, 0, 0], 0), "a repeat takes nothing"
    assert await order.capture_shipped(70) == ([30, 0, 0, 10], 0)
    assert await order.capture_shipped(40) == ([30, 0, 0, 10], 0), "an older value takes nothing"
    after = await order.lower(2, 70)
    assert [units(p.due_amount) for p in after] == [30, 20, 10, 10]
    assert await held_at_gateway(world) == ["tok_approve"], "all of the first is captured, and the rest of the other let go"


async def test_the_statements_do_not_grow_with_the_payments(world: World) -> None:
    await world.card()
    counts = []
    for cards in (1, 5):
        order = world.order(100)
        await order.opened(*(by_card(f"s{cards}-{i}", "tok_approve", 10) for i in range(cards)), by_card("", "tok_approve"))
        before = world.served.statements
        await order.capture_shipped(5)
        counts.append(world.served.statements - before)
    assert counts[0] == counts[1]


async def test_what_the_gateway_does_not_answer_is_missing_until_it_does(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    assert await order.capture_shipped(60) == ([0], 60)
    assert await order.capture_shipped(60) == ([0], 60)
    await later(world)
    assert await order.capture_shipped(60) == ([60], 0)
    (paid,) = await order.payments()
    assert [t for t in transactions(paid) if t.startswith("CAPTURE")] == ["CAPTURE SUCCEEDED"]


async def test_a_declined_capture_is_left_to_a_person_who_can_take_another_payment_or_give_it_up(world: World) -> None:
    await world.card("tok_decline_capture")
    await world.account(balance=100)
    order = world.order(100)
    await order.opened(by_card("p1", "tok_decline_capture"))
    for _ in range(2):
        assert await order.capture_shipped(60) == ([0], 60)
    (paid,) = await order.payments()
    assert (state(paid), [t for t in transactions(paid) if "CAPTURE" in t]) == ("ATTENTION", ["CAPTURE DECLINED"])
    await replaced(order, from_account("p2", "gift", 100))
    assert (await order.capture_shipped(60))[1] == 0
    other = world.order(100)
    await other.opened(by_card("p3", "tok_decline_capture"))
    assert await other.capture_shipped(100) == ([0], 100)
    world.orders.ended.add(other.key)
    await void_payment(world, "p3")
    assert await other.capture_shipped(100) == ([0], 0)


async def test_what_a_person_gave_back_is_not_taken_again(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    await order.capture_shipped(60)
    await refund(world, "p1", 15)
    assert await order.capture_shipped(60) == ([60], 0)
    assert await order.capture_shipped(100) == ([100], 0)


async def test_an_order_that_is_not_confirmed_yet_is_asked_about_again(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    await order.authorize()
    assert await order.capture_shipped(60) == ([0], 60)
    await order.confirm()
    assert await order.capture_shipped(60) == ([60], 0)


async def test_what_is_left_of_an_authorization_is_renewed_after_a_part_was_captured(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    await order.capture_shipped(60)
    world.clock.advance(timedelta(days=6, hours=12))
    await world.background.renew.once()
    assert await order.capture_shipped(100) == ([100], 0)
    (paid,) = await order.payments()
    assert state(paid) == "CAPTURED"
