"""Authorizations that would lapse before they are captured."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from libs.errors import WaybillError
from libs.invariants import Fact
from libs.protoconv import instant
from libs.service.retries import STUCK
from services.payment.adapters.db.tables import GATEWAY
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import Answer, GatewayTimeout
from services.payment.application.money import renew_authorizations
from services.payment.domain.attempts.attempt import Change
from services.payment.domain.money import renewal
from services.payment.domain.payments.payment import Payment
from tests.integration.payment.world import SOON, World, by_card, capture, later, opened, payment, state, transactions, units

WEEK = timedelta(days=7)


async def held(world: World) -> list[str]:
    """Keys of what the gateway holds."""
    async with world.database.reading() as tx:
        c = GATEWAY.c
        rows = await tx.execute(sa.select(c.key).where(c.operation == "authorize", c.state == "DONE").order_by(c.key))
        return [row.key for row in rows]


async def failing(world: World) -> list[tuple[str, str, str]]:
    """Payments whose renewal has failed: (id, how often in a row, by what)."""
    facts = [fact for fact in await world.records() if isinstance(fact, Fact) and fact.kind == "renewal"]
    return [(fact.values["payment"], fact.values["failures"], fact.values["failure"]) for fact in facts]


async def test_an_authorization_is_renewed_before_it_lapses_and_the_old_one_is_voided(world: World) -> None:
    order = await opened(world)
    (first,) = await held(world)
    assert await world.background.renew.once() == 1
    assert await later(world) == 1
    assert await held(world) == [f"{first}/1"]
    (card,) = await order.payments()
    assert state(card) == "CONFIRMED"
    assert instant(card.authorization_expire_time) == world.clock.now() + WEEK - timedelta(seconds=60)
    assert transactions(card) == [
        "RESERVE SUCCEEDED",
        "AUTHORIZE SUCCEEDED",
        "CONFIRM SUCCEEDED",
        "AUTHORIZE SUCCEEDED",
        "VOID SUCCEEDED",
    ]
    assert await world.background.renew.once() == 0
    world.clock.advance(SOON)
    assert await world.background.renew.once() == 1
    await later(world)
    assert await held(world) == [f"{first}/2"]
    assert units((await capture(world, "p1")).captured_amount) == 100


async def test_what_one_renewal_fails_by_keeps_no_other_from_being_renewed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.card("tok_approve")
    for id in ("p1", "p2"):
        await world.order(100).opened(by_card(id, "tok_approve"))
    world.clock.advance(SOON)
    broken: list[str] = []

    def tend(payment: Payment, *facts: Any) -> list[Change]:
        if not broken or payment.id in broken:
            broken.append(payment.id)
            raise KeyError(payment.id)
        return renewal.tend(payment, *facts)

    with monkeypatch.context() as patched:
        patched.setattr(renew_authorizations, "tend", tend)
        assert await world.background.renew.once() == 1
        # It waits, longer each time, and is named by the check once it has failed too often.
        assert await world.background.renew.once() == 0
        assert await failing(world) == [("p1", "1", "KeyError")] or await failing(world) == [("p2", "1", "KeyError")]
        for _ in range(STUCK - 1):
            world.clock.advance(timedelta(minutes=1))
            assert await world.background.renew.once() == 0
        assert [(failures, why) for _, failures, why in await failing(world)] == [(str(STUCK), "KeyError")]
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.renew.once() == 1
    assert await failing(world) == []


async def test_an_authorization_that_was_not_renewed_lapses(world: World) -> None:
    await opened(world)
    world.clock.advance(WEEK)
    with pytest.raises(WaybillError) as refused:
        await capture(world, "p1")
    assert (refused.value.reason, "authorization_lapsed" in refused.value.message) == ("GATEWAY_DECLINED", True)


async def test_a_renewal_that_is_declined_leaves_the_payment_to_a_person(world: World) -> None:
    order = await opened(world, "tok_once")
    assert await world.background.renew.once() == 1
    (card,) = await order.payments()
    assert state(card) == "ATTENTION"
    assert transactions(card)[-1] == "AUTHORIZE DECLINED"
    assert card.transactions[-1].message == "card_expired"
    assert len(await held(world)) == 1
    assert await world.background.renew.once() == 0
    await order.void()
    assert await order.states() == ["VOIDED"]
    assert await held(world) == []


async def test_a_renewal_without_an_answer_is_looked_up_and_never_asked_for_twice(world: World) -> None:
    order = await opened(world, "tok_late_renewal")
    (first,) = await held(world)
    assert await world.background.renew.once() == 1
    assert await order.states() == ["CONFIRMED"]
    assert await world.background.renew.once() == 0
    await later(world)
    await later(world)
    assert await held(world) == [f"{first}/1"]
    assert await order.states() == ["CONFIRMED"]


async def test_replicas_renew_an_authorization_once(world: World) -> None:
    order = await opened(world)
    (first,) = await held(world)
    assert sum(await asyncio.gather(*(world.background.renew.once() for _ in range(4)))) == 1
    await asyncio.gather(*(later(world) for _ in range(3)))
    assert await held(world) == [f"{first}/1"]
    assert transactions((await order.payments())[0]).count("AUTHORIZE SUCCEEDED") == 2


async def test_a_renewal_that_comes_through_after_the_cancel_is_voided_too(world: World) -> None:
    order = await opened(world, "tok_late_renewal")
    assert await world.background.renew.once() == 1
    await order.void()
    await later(world)
    await later(world)
    assert await order.states() == ["VOIDED"]
    assert await held(world) == []


async def test_a_renewal_that_comes_through_after_a_capture_is_voided_and_the_capture_stands(world: World) -> None:
    order = await opened(world, "tok_late_renewal")
    (first,) = await held(world)
    assert await world.background.renew.once() == 1
    assert units((await capture(world, "p1", 60)).captured_amount) == 60
    await later(world)
    await later(world)
    assert await held(world) == [first]
    assert await order.states() == ["CAPTURED"]
    assert units((await capture(world, "p1")).captured_amount) == 100


@pytest.mark.parametrize(
    ("canceled", "done", "waits", "ends"),
    [
        (True, True, "VOID_PENDING", ("ATTENTION", 60, 0)),
        (False, True, "CONFIRMED", ("REFUNDED", 60, 60)),
        (False, False, "CONFIRMED", ("VOIDED", 0, 0)),
    ],
)
async def test_a_renewal_that_nobody_wants_waits_for_the_capture_that_is_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch, canceled: bool, done: bool, waits: str, ends: Any
) -> None:
    order = await opened(world, "tok_late_renewal")
    assert await world.background.renew.once() == 1
    with monkeypatch.context() as silent:
        silence_captures(silent, done)
        with pytest.raises(WaybillError, match="did not answer"):
            await capture(world, "p1", 60)
        await (order.void() if canceled else order.lower(2, 0))
        for _ in range(3):
            await later(world)
        (paid,) = await order.payments()
        assert (state(paid), units(paid.captured_amount)) == (waits, 0)
        assert [t for t in transactions(paid) if t.endswith("PENDING")] == ["CAPTURE PENDING"]
    for _ in range(3):
        await later(world)
    (paid,) = await order.payments()
    assert (state(paid), units(paid.captured_amount), units(paid.refunded_amount)) == ends
    assert (await held(world), [t for t in transactions(paid) if t.endswith("PENDING")]) == ([], [])


def silence_captures(patched: pytest.MonkeyPatch, done: bool) -> None:
    """No capture is answered, nor what became of it; each is done, or declined."""
    plain, look = TestGateway.capture, TestGateway.get_by_key

    async def declined(*_: Any) -> str:
        return "declined"

    async def capture(*asked: Any) -> Answer:
        await plain(*asked)
        raise GatewayTimeout

    async def get_by_key(self: TestGateway, key: str) -> Answer:
        if key.startswith("ptx"):
            raise GatewayTimeout
        return await look(self, key)

    if not done:
        patched.setattr(TestGateway, "_why_not", declined)
    patched.setattr(TestGateway, "capture", capture)
    patched.setattr(TestGateway, "get_by_key", get_by_key)


async def test_captures_and_renewals_at_once_take_the_money_once(world: World) -> None:
    await world.card()
    orders = [world.order(100) for _ in range(6)]
    for n, order in enumerate(orders):
        await order.opened(by_card(f"p{n}", "tok_approve"))
    world.clock.advance(SOON)
    await asyncio.gather(world.background.renew.once(), *(capture(world, f"p{n}") for n in range(6)))
    await later(world)
    await later(world)
    assert len(await held(world)) == 6
    for order in orders:
        (card,) = await order.payments()
        assert (state(card), units(card.captured_amount)) == ("CAPTURED", 100)


async def test_what_is_no_card_and_what_is_canceled_is_not_renewed(world: World) -> None:
    await world.card()
    promise, canceled = world.order(100), world.order(100)
    await promise.opened(payment("p1"))
    await canceled.opened(by_card("p2", "tok_approve"))
    await canceled.void()
    world.clock.advance(SOON)
    assert await world.background.renew.once() == 0
    (card,) = await canceled.payments()
    assert not card.HasField("authorization_expire_time")
