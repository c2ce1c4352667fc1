"""Cards that a gateway approves, declines, is silent about, and answers late."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.tables import CARDS, GATEWAY
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import Verdict
from tests.integration.payment.world import World, by_card, held_at_gateway, later, reasons, running, state, transactions
from waybill.payment.v1 import payment_reservation_service_pb2 as pb


async def test_a_declined_card_is_a_problem_and_the_attempt_can_be_released(world: World) -> None:
    await world.card("tok_decline")
    await world.card("tok_approve")
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve", 60), by_card("p2", "tok_decline"))
    await order.reserve()
    for _ in range(2):
        asked = await order.authorize()
        assert [(p.subject, p.reason) for p in asked.problems] == [("payments[p2]", "CARD_DECLINED")]
        assert "insufficient_funds" in asked.problems[0].description
        assert (asked.state, asked.pending) == (pb.PAYMENT_RESERVATION_STATE_RESERVED, False)
    assert await order.states() == ["AUTHORIZED", "RESERVED"]
    assert await order.release() == "RELEASED"
    assert await order.states() == ["OPEN", "OPEN"]
    assert await held_at_gateway(world) == []


async def drop_card(world: World, id: str) -> None:
    """Takes a card out of the database, behind the service's back: it deletes none that is being paid with."""
    async with world.database.transaction() as tx:
        await tx.execute(sa.delete(CARDS).where(CARDS.c.id == id))


async def test_a_card_that_was_deleted_after_the_reserve_is_refused_at_once(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    await drop_card(world, "tok_approve")
    for _ in range(2):
        asked = await order.authorize()
        assert [(p.subject, p.reason, asked.pending) for p in asked.problems] == [("payments[p1]", "CARD_NOT_FOUND", False)]
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
        "VOIDED",
        Verdict.DECLINED,
    )
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
    answer = await world.attempts.AuthorizePayments(pb.AuthorizePaymentsRequest(order_key=order.key, attempt=1))
    assert answer.pending
    assert await held_at_gateway(world) == []
    await order.release()


async def test_an_approval_that_was_not_written_down_is_found_by_key(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()

    async def crash() -> None:
        raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "died here", metadata={"dependency": "database"})

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
