"""What a canceled order gives back, and what is seen of captures and confirms beside it."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from services.payment.adapters.gateways.registry import GATEWAYS
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import Answer, Verdict
from services.payment.domain.payments.types import CREDIT_CARD
from tests.integration.payment.world import (
    World,
    by_card,
    capture,
    from_account,
    held_at_gateway,
    later,
    payment,
    refund,
    running,
    state,
    transactions,
    units,
)
from waybill.payment.v1 import payment_reservation_service_pb2 as pb


async def test_a_canceled_order_gives_everything_back(world: World) -> None:
    await world.account(balance=50)
    await world.card("tok_approve")
    await world.card("tok_late_void")
    order = world.order(200)
    await order.opened(
        from_account("p1", "gift", 50), by_card("p2", "tok_approve", 60), by_card("p3", "tok_late_void", 40), payment("p4")
    )
    await capture(world, "p2", 45)
    await refund(world, "p2", 5)
    await order.void()
    assert await order.states() == ["VOIDED", "REFUNDED", "VOID_PENDING", "VOIDED"]
    assert await world.balance() == (50, 0)
    await order.void()
    await later(world)
    payments = await order.payments()
    assert [state(p) for p in payments] == ["VOIDED", "REFUNDED", "VOIDED", "VOIDED"]
    assert [units(p.refunded_amount) for p in payments] == [50, 45, 0, 50]
    assert await held_at_gateway(world) == []
    assert await world.balance() == (50, 0)


async def test_a_canceled_order_gives_back_what_a_person_has_left(world: World) -> None:
    await world.account(balance=50)
    order = world.order(100)
    await order.opened(from_account("p1", "gift", 50), payment("p2"))
    await refund(world, "p1", 9)
    await refund(world, "p2", 1)
    await order.void()
    payments = await order.payments()
    assert [(state(p), units(p.refunded_amount)) for p in payments] == [("VOIDED", 50), ("VOIDED", 50)]
    assert [units(p.transactions[-1].amount) for p in payments] == [41, 49]
    assert await world.balance() == (50, 0)


async def test_nothing_is_due_of_a_canceled_order_that_was_refunded_before(world: World) -> None:
    await world.account(balance=50)
    await world.card("tok_approve")
    order = world.order(200)
    await order.opened(from_account("p1", "gift", 50), by_card("p2", "tok_approve", 60), payment("p3"))
    await capture(world, "p2")
    for id in ("p1", "p2", "p3"):
        await refund(world, id)
    await order.void()
    payments = await order.payments()
    assert [(state(p), units(p.due_amount), units(p.refunded_amount)) for p in payments] == [
        ("REFUNDED", 0, 50),
        ("REFUNDED", 0, 60),
        ("REFUNDED", 0, 90),
    ]
    await order.void()
    assert await order.payments() == payments


async def test_a_refund_that_is_declined_after_a_cancel_needs_a_person(world: World) -> None:
    await world.card("tok_decline_refund")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_decline_refund"))
    await capture(world, "p1")
    await order.void()
    assert await order.states() == ["ATTENTION"]


async def test_a_cancel_gives_back_what_a_refund_on_its_way_leaves(world: World) -> None:
    await world.card("tok_late_refund")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_refund"))
    await capture(world, "p1", 80)
    with pytest.raises(WaybillError, match="did not answer"):
        await refund(world, "p1", 10)
    for _ in range(2):
        await order.void()
    await later(world)
    await later(world)
    (paid,) = await order.payments()
    assert (state(paid), units(paid.refunded_amount)) == ("REFUNDED", 80)
    assert sorted(transactions(paid)).count("REFUND SUCCEEDED") == 2
    assert transactions(paid).count("VOID SUCCEEDED") == 1
    assert await held_at_gateway(world) == []


async def test_a_refund_on_its_way_that_is_declined_after_the_cancel_needs_a_person(databases, monkeypatch) -> None:
    class Refuses(TestGateway):
        """Is silent about the first refund, and declines it when it is asked again."""

        name = "refuses"
        asked = 0

        async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
            if amount != 10_000_000:
                return await super().refund(key, authorization_key, amount, currency)
            self.asked += 1
            return Answer(Verdict.UNKNOWN) if self.asked == 1 else Answer(Verdict.DECLINED, message="expired")

    monkeypatch.setitem(GATEWAYS, (CREDIT_CARD, "refuses"), lambda made_in: Refuses(made_in.database))
    async with running(databases, credit_card_gateway="refuses") as world:
        await world.card()
        order = world.order(100)
        await order.opened(by_card("p1", "tok_approve"))
        await capture(world, "p1")
        with pytest.raises(WaybillError, match="did not answer"):
            await refund(world, "p1", 10)
        await order.void()
        await later(world)
        (paid,) = await order.payments()
        assert (state(paid), units(paid.refunded_amount)) == ("ATTENTION", 90)


async def test_a_capture_of_a_canceled_order_is_refused_and_one_under_way_is_seen(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    for amount in (50, 30):
        with pytest.raises(WaybillError):
            await capture(world, "p1", amount, request_id=f"c{amount}")
        if amount == 50:
            await later(world)
    await order.void()
    with pytest.raises(WaybillError, match="cannot capture"):
        await capture(world, "p1", 5)
    await later(world)
    (paid,) = await order.payments()
    assert state(paid) == "ATTENTION"
    assert (units(paid.captured_amount), units(paid.refunded_amount)) == (80, 50)


async def test_a_confirm_that_comes_after_the_cancel_debits_nothing(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(100)
    await order.add(from_account("p1", "gift", 50), by_card("p2", "tok_approve"))
    await order.reserve()
    await order.authorize()
    await order.void()
    assert (await order.confirm()).state == pb.PAYMENT_RESERVATION_STATE_RELEASED
    assert await order.states() == ["VOIDED", "VOIDED"]
    account, by = await order.payments()
    assert transactions(account) == ["RESERVE SUCCEEDED", "RELEASE SUCCEEDED"]
    assert transactions(by) == ["RESERVE SUCCEEDED", "AUTHORIZE SUCCEEDED", "VOID SUCCEEDED"]
    assert [units(p.refunded_amount) for p in (account, by)] == [0, 0]
    assert await world.balance() == (50, 0)
    assert await held_at_gateway(world) == []


async def test_a_capture_under_way_when_its_order_is_canceled_is_seen(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    with pytest.raises(WaybillError):
        await capture(world, "p1", 60)
    await order.void()
    await later(world)
    (card,) = await order.payments()
    assert (state(card), units(card.captured_amount)) == ("ATTENTION", 60)
    assert state(await refund(world, "p1")) == "REFUNDED"


async def test_a_confirm_without_an_authorization_needs_a_person(world: World) -> None:
    await world.card("tok_timeout")
    order = world.order(100)
    await order.add(by_card("p1", "tok_timeout"))
    await order.reserve()
    await order.authorize()
    assert (await order.confirm()).state == pb.PAYMENT_RESERVATION_STATE_CONFIRMED
    assert await order.states() == ["ATTENTION"]
    await order.void()
    assert await order.states() == ["VOIDED"]
