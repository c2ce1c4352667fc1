"""Captures and refunds of cards and of what is no card."""

from __future__ import annotations

import asyncio

import pytest

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.payments.payment_store import SqlPaymentStore
from tests.integration.payment.world import (
    World,
    by_card,
    capture,
    from_account,
    later,
    payment,
    refund,
    state,
    transactions,
    units,
)
from tests.support.undone import undone_once


async def test_captures_stay_within_the_authorization_and_refunds_within_the_captures(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    taken = await capture(world, "p1", 30)
    assert (state(taken), units(taken.captured_amount)) == ("CAPTURED", 30)
    with pytest.raises(WaybillError) as refused:
        await capture(world, "p1", 71)
    assert (refused.value.reason, refused.value.metadata["payment"]) == ("CAPTURE_EXCEEDS_AUTHORIZATION", "p1")
    assert units((await capture(world, "p1")).captured_amount) == 100
    with pytest.raises(WaybillError) as refused:
        await capture(world, "p1")
    assert refused.value.reason == "CAPTURE_EXCEEDS_AUTHORIZATION"
    with pytest.raises(WaybillError) as refused:
        await refund(world, "p1", 101)
    assert refused.value.reason == "REFUND_EXCEEDS_CAPTURE"
    back = await refund(world, "p1", 40)
    assert (state(back), units(back.refunded_amount)) == ("CAPTURED", 40)
    back = await refund(world, "p1")
    assert (state(back), units(back.refunded_amount)) == ("REFUNDED", 100)
    with pytest.raises(WaybillError) as refused:
        await refund(world, "p1")
    assert refused.value.reason == "PAYMENT_STATE_CONFLICT"
    assert sum(units(e.amount) for e in await world.entries('account = "gateway:test"')) == 0


async def test_captures_at_once_do_not_take_more_than_is_authorized(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    done = await asyncio.gather(*(capture(world, "p1", 30) for _ in range(6)), return_exceptions=True)
    assert sum(not isinstance(d, Exception) for d in done) == 3
    (card,) = await order.payments()
    assert units(card.captured_amount) == 90


async def test_a_capture_has_one_effect_for_one_request_id(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    await capture(world, "p1", 30, "r1")
    again = await capture(world, "p1", 30, "r1")
    assert units(again.captured_amount) == 30
    with pytest.raises(WaybillError) as reused:
        await capture(world, "p1", 40, "r1")
    assert reused.value.reason == "REQUEST_ID_REUSED"
    at_once = await asyncio.gather(*(capture(world, "p1", 20, "r2") for _ in range(4)))
    assert {units(p.captured_amount) for p in at_once} == {50}


@pytest.mark.parametrize("operation", ["capture", "refund"])
async def test_a_movement_without_an_answer_is_looked_up(world: World, operation: str) -> None:
    token = f"tok_late_{operation}"
    await world.card(token)
    order = world.order(100)
    await order.opened(by_card("p1", token))
    move = capture
    if operation == "refund":
        await capture(world, "p1")
        move = refund
    with pytest.raises(WaybillError) as silent:
        await move(world, "p1", 60, "r1")
    assert (silent.value.kind, silent.value.reason) == (Kind.UNAVAILABLE, "GATEWAY_SILENT")
    with pytest.raises(WaybillError) as bound:
        await move(world, "p1", 41)
    assert bound.value.reason in ("CAPTURE_EXCEEDS_AUTHORIZATION", "REFUND_EXCEEDS_CAPTURE")
    done = await move(world, "p1", 60, "r1")
    assert units(done.captured_amount if operation == "capture" else done.refunded_amount) == 60


async def test_a_movement_that_nobody_repeats_is_settled_by_the_loop(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    with pytest.raises(WaybillError):
        await capture(world, "p1", 60)
    assert await later(world) == 1
    (card,) = await order.payments()
    assert (state(card), units(card.captured_amount)) == ("CAPTURED", 60)
    assert await later(world) == 0


async def test_an_answer_that_a_deadlock_undid_is_written_again_at_once(world: World, monkeypatch) -> None:
    await world.card()
    order = world.order(100)
    await order.opened(by_card("p1", "tok_approve"))
    calls = undone_once(monkeypatch, SqlPaymentStore, "settle")
    paid = await capture(world, "p1", 60)
    assert (units(paid.captured_amount), calls) == (60, ["settle", "settle"])
    assert transactions(paid).count("CAPTURE SUCCEEDED") == 1
    assert len(await world.entries('payment_id = "p1"')) == 2


async def test_a_declined_movement_changes_nothing(world: World) -> None:
    await world.card("tok_decline_capture")
    await world.card("tok_decline_refund")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_decline_capture", 40), by_card("p2", "tok_decline_refund"))
    for _ in range(2):
        with pytest.raises(WaybillError) as declined:
            await capture(world, "p1", request_id="r1")
        assert declined.value.reason == "GATEWAY_DECLINED"
    await capture(world, "p2")
    with pytest.raises(WaybillError) as declined:
        await refund(world, "p2")
    assert declined.value.reason == "GATEWAY_DECLINED"
    assert await order.states() == ["CONFIRMED", "CAPTURED"]


async def test_what_is_no_card_is_taken_at_confirm_and_can_be_refunded(world: World) -> None:
    await world.account(balance=50)
    order = world.order(100)
    await order.opened(from_account("p1", "gift", 50), payment("p2"))
    with pytest.raises(WaybillError) as refused:
        await capture(world, "p1")
    assert refused.value.reason == "PAYMENT_STATE_CONFLICT"
    assert state(await refund(world, "p1", 20)) == "CONFIRMED"
    assert await world.balance() == (20, 0)
    assert state(await refund(world, "p1")) == "REFUNDED"
    assert await world.balance() == (50, 0)
    assert state(await refund(world, "p2", 10)) == "CONFIRMED"
    assert [units(e.amount) for e in await world.entries('account = "marketplace:receivable"')] == [50, -10]
    with pytest.raises(WaybillError) as refused:
        await refund(world, "p2", 41)
    assert refused.value.reason == "REFUND_EXCEEDS_CAPTURE"
