"""Cards at a gateway that approves, declines, is silent, and answers late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.tables import GATEWAY
from services.payment.adapters.gateways.registry import GATEWAYS
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.ports import Answer, Verdict
from tests.integration.payment.world import (
    World,
    by_card,
    capture,
    from_account,
    payment,
    reasons,
    refund,
    running,
    state,
    transactions,
    units,
)
from tests.support.undone import undone_once
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import payment_service_pb2 as pb


async def held_at_gateway(world: World) -> list[str]:
    """Tokens of what the test gateway holds."""
    async with world.database.reading() as tx:
        c = GATEWAY.c
        rows = await tx.execute(sa.select(c.token).where(c.operation == "authorize", c.state == "DONE"))
        return [row.token for row in rows]


async def later(world: World) -> int:
    """Lets the background loop look again."""
    world.clock.advance(timedelta(seconds=60))
    return await world.background.settle.once()


async def test_a_declined_card_is_a_problem_and_the_attempt_can_be_released(world: World) -> None:
    await world.card("tok_decline")
    await world.card("tok_approve")
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve", 60), by_card("p2", "tok_decline"))
    await order.reserve()
    for _ in range(2):
        asked = await order.authorize()
        assert [(p.payment_id, p.reason) for p in asked.problems] == [("p2", "CARD_DECLINED")]
        assert "insufficient_funds" in asked.problems[0].description
        assert (asked.state, asked.pending) == (pb.PAYMENT_RESERVATION_STATE_RESERVED, False)
    assert await order.states() == ["AUTHORIZED", "RESERVED"]
    assert await order.release() == "RELEASED"
    assert await order.states() == ["OPEN", "OPEN"]
    assert await held_at_gateway(world) == []


async def drop_card(world: World, id: str) -> None:
    """Deletes a card on file."""
    await world.cards().DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id=id))


async def test_a_card_that_was_deleted_after_the_reserve_is_refused_at_once(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    await drop_card(world, "tok_approve")
    for _ in range(2):
        asked = await order.authorize()
        assert [(p.payment_id, p.reason, asked.pending) for p in asked.problems] == [("p1", "CARD_NOT_FOUND", False)]
    await order.release()
    assert await order.states() == ["OPEN"]


async def test_a_card_that_was_deleted_while_its_gateway_was_silent_holds_nothing(world: World) -> None:
    await world.card("tok_timeout")
    order = world.order(100)
    await order.add(by_card("p1", "tok_timeout"))
    await order.reserve()
    assert (await order.authorize()).pending
    await drop_card(world, "tok_timeout")
    asked = await order.authorize()
    assert (asked.pending, reasons(asked.problems)) == (False, ["CARD_NOT_FOUND"])
    async with world.database.reading() as tx:
        key, operation = (await tx.execute(sa.select(GATEWAY.c.key, GATEWAY.c.state))).one()
    # Nothing that was sent before and is still on its way can hold anything.
    assert (operation, (await TestGateway(world.database).authorize(key, "tok_approve", 1, "USD")).verdict) == (
        "VOIDED", Verdict.DECLINED,
    )  # fmt: skip
    await order.release()


async def test_a_silent_gateway_leaves_the_answer_pending_and_a_late_approval_is_found_by_key(world: World) -> None:
    await world.card("tok_late")
    order = world.order(100)
    await order.add(by_card("p1", "tok_late"))
    await order.reserve()
    asked = await order.authorize()
    assert (asked.pending, list(asked.problems)) == (True, [])
    assert await order.states() == ["AUTHORIZING"]
    asked = await order.authorize()
    assert (asked.pending, list(asked.problems)) == (False, [])
    assert await order.states() == ["AUTHORIZED"]
    async with world.database.reading() as tx:
        assert len((await tx.execute(sa.select(GATEWAY))).all()) == 1
    await order.confirm()


async def test_a_late_approval_of_a_released_attempt_is_voided(world: World) -> None:
    await world.card("tok_late")
    order = world.order(100)
    await order.add(by_card("p1", "tok_late"))
    await order.reserve()
    assert (await order.authorize()).pending
    assert await order.release() == "RELEASED"
    await later(world)
    (card,) = await order.payments()
    assert state(card) == "OPEN"
    assert transactions(card) == ["RESERVE SUCCEEDED", "AUTHORIZE SUCCEEDED", "VOID SUCCEEDED"]
    assert await held_at_gateway(world) == []


async def test_a_void_without_an_answer_is_asked_again(world: World) -> None:
    await world.card("tok_late_void")
    order = world.order(100)
    await order.add(by_card("p1", "tok_late_void"))
    await order.reserve()
    await order.authorize()
    assert await order.release() == "RELEASED"
    assert await order.states() == ["VOID_PENDING"]
    assert await held_at_gateway(world) == ["tok_late_void"]

    refused = await order.reserve(2)
    assert [(p.reason, p.contended) for p in refused.problems] == [("PAYMENT_STATE_CONFLICT", True)]
    with pytest.raises(WaybillError) as conflict:
        await order.remove("p1")
    assert conflict.value.reason == "PAYMENT_STATE_CONFLICT"

    assert await world.background.settle.once() == 0, "not yet due"
    assert await later(world) == 1
    assert await order.states() == ["OPEN"]
    assert await held_at_gateway(world) == []
    await order.remove("p1")


async def test_a_gateway_that_never_answers_holds_nothing_after_the_release(world: World) -> None:
    await world.card("tok_timeout")
    order = world.order(100)
    await order.add(by_card("p1", "tok_timeout"))
    await order.reserve()
    for _ in range(3):
        assert (await order.authorize()).pending
    assert await order.release() == "RELEASED"
    (card,) = await order.payments()
    assert state(card) == "OPEN"
    assert transactions(card) == ["RESERVE SUCCEEDED", "AUTHORIZE DECLINED", "VOID SUCCEEDED"]


async def test_an_approval_that_comes_after_the_release_is_voided_too(world: World) -> None:
    """The release, its void included, runs while the authorization is on its way."""
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()

    async def release_meanwhile() -> None:
        assert await order.release() == "RELEASED"

    points = world.runtime.failpoints
    points.arm("payment.authorize.answered", release_meanwhile)
    asked = await order.authorize()
    assert reasons(asked.problems) == []
    points.disarm("payment.authorize.answered")
    await later(world)
    assert await order.states() == ["OPEN"]
    assert await held_at_gateway(world) == []
    assert reasons((await order.authorize()).problems) == ["ATTEMPT_RELEASED"]


async def test_a_voided_key_refuses_a_late_authorization(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    points = world.runtime.failpoints

    async def release_first() -> None:
        await order.release()

    points.arm("payment.authorize.begun", release_first)
    asked = await order.authorize()
    points.disarm("payment.authorize.begun")
    assert reasons(asked.problems) == ["CARD_DECLINED"]
    assert await order.states() == ["OPEN"]
    assert await held_at_gateway(world) == []


async def test_a_slow_gateway_is_waited_for_only_so_long(databases) -> None:
    async with running(databases, test_gateway_delay=5.0, gateway_timeout=0.02, void_timeout=0.02) as world:
        await world.card("tok_timeout")
        order = world.order(100)
        await order.add(by_card("p1", "tok_timeout"))
        await order.reserve()
        assert (await order.authorize()).pending
        await order.release()


async def test_nobody_is_asked_after_the_deadline(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    answer = await world.payments.AuthorizePayments(pb.AuthorizePaymentsRequest(order_key=order.key, attempt=1))
    assert answer.pending
    assert await held_at_gateway(world) == []
    await order.release()


async def test_an_approval_that_was_not_written_down_is_found_by_key(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()

    async def crash() -> None:
        raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "died here")

    points = world.runtime.failpoints
    points.arm("payment.authorize.answered", crash)
    with pytest.raises(WaybillError):
        await order.authorize()
    points.disarm("payment.authorize.answered")
    assert await order.states() == ["AUTHORIZING"]
    assert await held_at_gateway(world) == ["tok_approve"]
    assert not (await order.authorize()).pending
    await order.confirm()
    assert await held_at_gateway(world) == ["tok_approve"]


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
    calls = undone_once(monkeypatch, world.background.settle._payments, "settle")
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


async def test_a_canceled_order_gives_everything_back(world: World) -> None:
    await world.account(balance=50)
    await world.card("tok_approve")
    await world.card("tok_late_void")
    order = world.order(200)
    await order.opened(
        from_account("p1", "gift", 50), by_card("p2", "tok_approve", 60), by_card("p3", "tok_late_void", 40),
        payment("p4"),
    )  # fmt: skip
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

    monkeypatch.setitem(GATEWAYS, "refuses", lambda settings, database, clock: Refuses(database))
    async with running(databases, gateway="refuses") as world:
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


async def test_the_test_gateway_answers_by_key(world: World) -> None:
    gateway = world.background.settle._ask._gateway
    assert (await gateway.get_by_key("k")).verdict is Verdict.NOTHING
    first = await gateway.authorize("k", "tok_approve", 10, "USD")
    assert await gateway.authorize("k", "tok_approve", 10, "USD") == first
    assert (await gateway.capture("c", "k", 11, "USD")).message == "too_much"
    assert (await gateway.capture("d", "unknown", 1, "USD")).message == "no_authorization"
    assert (await gateway.refund("r", "k", 1, "USD")).message == "too_much"
    assert (await gateway.void("k")).verdict is Verdict.APPROVED
    assert (await gateway.authorize("k", "tok_approve", 10, "USD")).verdict is Verdict.DECLINED


class Forgetful(TestGateway):
    """Has no way to refuse an authorization in advance: it says that nothing is held, and approves afterwards."""

    name = "forgetful"

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self.before_authorize: Callable[[], Awaitable[Any]] | None = None

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        if self.before_authorize is not None:
            await self.before_authorize()
        return await super().authorize(key, token, amount, currency)

    async def void(self, key: str) -> Answer:
        if (await self.get_by_key(key)).verdict is Verdict.NOTHING:
            return Answer(Verdict.NOTHING)
        return await super().void(key)


async def test_a_provider_that_approves_after_the_void_is_voided_again(databases, monkeypatch) -> None:
    monkeypatch.setitem(GATEWAYS, "forgetful", lambda settings, database, clock: Forgetful(database))
    async with running(databases, gateway="forgetful") as world:
        await world.card()
        order = world.order(100)
        await order.add(by_card("p1", "tok_approve"))
        await order.reserve()
        gateway = world.background.settle._ask._gateway
        gateway.before_authorize = order.release
        await order.authorize()
        assert await order.states() == ["VOID_PENDING"]
        assert await held_at_gateway(world) == ["tok_approve"]
        await later(world)
        assert await order.states() == ["OPEN"]
        assert await held_at_gateway(world) == []


async def test_a_gateway_that_breaks_is_a_gateway_without_an_answer(databases, monkeypatch) -> None:
    class Broken(TestGateway):
        async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
            raise RuntimeError(f"cannot parse {token}")

    monkeypatch.setitem(GATEWAYS, "broken", lambda settings, database, clock: Broken(database))
    async with running(databases, gateway="broken") as world:
        await world.card()
        order = world.order(100)
        await order.add(by_card("p1", "tok_approve"))
        await order.reserve()
        assert (await order.authorize()).pending
        await order.release()


async def test_an_unknown_gateway_does_not_start(databases) -> None:
    with pytest.raises(ValueError, match="there is no gateway 'nowhere'"):
        async with running(databases, gateway="nowhere"):
            pass
