"""Payments that wait for their buyers: begun before the submit, taken over by it, voided when no submit comes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import grpc
import pytest
import sqlalchemy as sa

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.tables import REDIRECTS
from services.payment.adapters.gateways.testing import TestGateway
from tests.integration.payment.world import (
    Order,
    World,
    by_card,
    capture,
    held_at_gateway,
    payment,
    reasons,
    state,
    transactions,
    units,
)
from waybill.payment.v1 import payment_redirect_pb2 as pb

HOUR = timedelta(hours=1)


def stage(redirect: pb.PaymentRedirect) -> str:
    """The state of one by its short name."""
    return pb.PaymentRedirectState.Name(redirect.state).removeprefix("PAYMENT_REDIRECT_STATE_")


async def act(world: World, redirect: pb.PaymentRedirect, approve: bool = True) -> str:
    """What the buyer does on the provider's page; where the buyer is sent back to."""
    gateway = TestGateway(world.database, clock=world.clock)
    return await gateway.act(redirect.url.rsplit("/", 1)[1], approve=approve)


async def waiting(world: World, token: str = "tok_redirect", **more: int) -> Order:
    """An order of 100 with a payment by a card whose buyer has to act."""
    await world.card(token)
    order = world.order(100)
    await order.add(by_card("p1", token, **more))
    return order


async def swept(world: World) -> None:
    """The loop looks until it finds nothing."""
    for _ in range(5):
        if not await world.background.redirects.once():
            return
        world.clock.advance(timedelta(seconds=11))


async def refused(call) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def test_a_submit_waits_for_the_buyer_and_takes_over_what_the_buyer_agreed_to(world: World) -> None:
    order = await waiting(world)
    assert reasons((await order.reserve(validate_only=True)).problems) == ["PAYMENT_ACTION_REQUIRED"]
    assert reasons((await order.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]

    begun = await order.start("p1")
    assert (stage(begun), units(begun.amount)) == ("ACTION_REQUIRED", 100)
    assert begun.url.startswith("https://pay.example/")
    assert reasons((await order.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]

    assert await act(world, begun) == "https://shop.example/back"
    assert stage(await order.start("p1")) == "AUTHORIZED"
    tried = await order.reserve()
    assert not tried.problems
    assert not tried.needs_authorization
    assert await order.states() == ["AUTHORIZED"]
    assert not (await order.authorize()).problems
    await order.confirm()
    [paid] = await order.payments()
    assert transactions(paid) == ["RESERVE SUCCEEDED", "AUTHORIZE SUCCEEDED", "CONFIRM SUCCEEDED"]
    assert paid.HasField("authorization_expire_time")
    assert state(await capture(world, "p1")) == "CAPTURED"
    world.clock.advance(2 * HOUR)
    await swept(world)
    assert await held_at_gateway(world) == ["tok_redirect"], "what was taken over is not swept"


async def test_whoever_comes_twice_is_sent_to_the_same_page(world: World) -> None:
    order = await waiting(world)
    first = await order.start("p1", request_id="r1")
    assert await order.start("p1", request_id="r1") == first
    assert await order.start("p1", request_id="r2", return_url="https://shop.example/other") == first
    both = await asyncio.gather(order.start("p1"), order.start("p1"))
    assert both == [first, first]


async def test_a_submit_asks_the_provider_that_has_not_called_back(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"))
    assert not (await order.reserve(validate_only=True)).problems
    assert not (await order.reserve()).problems
    assert await order.release() == "RELEASED"


async def test_a_refused_attempt_leaves_it_for_the_next_until_its_time(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"))
    for attempt in (1, 2):
        assert not (await order.reserve(attempt)).problems
        assert await order.release(attempt) == "RELEASED"
        assert await order.states() == ["OPEN"]
        assert await held_at_gateway(world) == ["tok_redirect"]
    assert not (await order.reserve(3)).problems
    await order.confirm(3)
    assert await order.states() == ["CONFIRMED"]

    other = world.order(100)
    await other.add(by_card("p2", "tok_redirect"))
    await act(world, await other.start("p2"))
    assert not (await other.reserve()).problems
    world.clock.advance(HOUR)
    await other.release()
    await swept(world)
    assert await held_at_gateway(world) == ["tok_redirect"], "that of the open order"
    assert reasons((await other.reserve(2)).problems) == ["PAYMENT_ACTION_REQUIRED"]


async def test_another_amount_is_agreed_to_anew_and_the_old_one_is_voided(world: World) -> None:
    order = await waiting(world)
    old = await order.start("p1")
    await act(world, old)
    order.total = 90
    assert reasons((await order.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]
    new = await order.start("p1")
    assert (stage(new), units(new.amount)) == ("ACTION_REQUIRED", 90)
    assert new.url != old.url
    await swept(world)
    assert await held_at_gateway(world) == []
    await act(world, new)
    assert not (await order.reserve()).problems
    await order.confirm()


@pytest.mark.parametrize("agreed", [False, True])
async def test_what_no_submit_takes_over_is_voided_at_its_time(world: World, agreed: bool) -> None:
    order = await waiting(world)
    begun = await order.start("p1")
    if agreed:
        await act(world, begun)
        await order.start("p1")
    assert await world.background.redirects.once() == 0
    world.clock.advance(HOUR)
    assert reasons((await order.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]
    await swept(world)
    assert await held_at_gateway(world) == []
    again = await order.start("p1")
    assert stage(again) == "ACTION_REQUIRED"
    assert again.url != begun.url


async def test_what_is_removed_or_deleted_is_voided(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"))
    await order.start("p1")
    await order.remove("p1")
    await swept(world)
    assert await held_at_gateway(world) == []
    await order.add(by_card("p1", "tok_redirect"))
    assert stage(await order.start("p1")) == "ACTION_REQUIRED", "the id was given again"


async def test_a_buyer_who_declines_can_begin_anew(world: World) -> None:
    order = await waiting(world)
    first = await order.start("p1", request_id="r1")
    await act(world, first, approve=False)
    assert reasons((await order.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]
    again = await order.start("p1", request_id="r1")
    assert (stage(again), again.message) == ("DECLINED", "declined_by_buyer"), "the same request has the same authorization"
    assert stage(await order.start("p1", request_id="r2")) == "ACTION_REQUIRED"


async def test_a_provider_that_is_silent_is_asked_on(world: World) -> None:
    order = await waiting(world, "tok_redirect_late")
    begun = await order.start("p1")
    assert (stage(begun), begun.url) == ("ASKED", "")
    world.clock.advance(timedelta(seconds=11))
    await world.background.redirects.once()
    assert stage(await order.start("p1")) == "ACTION_REQUIRED"

    silent = world.order(100)
    await world.card("tok_redirect_timeout")
    await silent.add(by_card("p2", "tok_redirect_timeout"))
    assert stage(await silent.start("p2")) == "ASKED"
    world.clock.advance(HOUR)
    await swept(world)
    assert reasons((await silent.reserve()).problems) == ["PAYMENT_ACTION_REQUIRED"]


async def test_a_provider_that_refuses_to_begin_is_seen(world: World) -> None:
    order = await waiting(world, "tok_redirect_decline")
    begun = await order.start("p1")
    assert (stage(begun), begun.message) == ("DECLINED", "not_eligible")


async def test_only_what_waits_for_its_buyer_is_begun(world: World) -> None:
    await world.card()
    order = await waiting(world, amount=60)
    await order.add(by_card("plain", "tok_approve", 30), payment("promise"))
    for id in ("plain", "promise"):
        error = await refused(order.start(id))
        assert (error.kind, error.reason) == (Kind.PRECONDITION, "PAYMENT_NEEDS_NO_ACTION")
    assert (await refused(order.start("nobody"))).kind is Kind.MISSING
    order.total = 50
    assert (await refused(order.start("p1"))).reason == "PAYMENT_EXCEEDS_TOTAL"
    order.total = 100
    await act(world, await order.start("p1"))
    await order.reserve()
    assert (await refused(order.start("p1"))).reason == "SUBMISSION_IN_PROGRESS"
    await order.release()


async def test_a_cancel_voids_what_was_taken_over(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"))
    await order.reserve()
    await order.confirm()
    await order.void()
    assert await order.states() == ["VOIDED"]
    assert await held_at_gateway(world) == []


async def test_what_a_canceled_payment_had_taken_over_ends_with_it(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"))
    await order.reserve()
    await order.void()
    assert (await order.states(), await held_at_gateway(world)) == (["VOIDED"], [])
    await order.remove("p1")
    await swept(world)
    assert await held_at_gateway(world) == []


@pytest.mark.parametrize("place", ["payment.redirect.begun", "payment.redirect.answered"])
async def test_a_start_that_dies_on_its_way_is_gone_on_with_by_its_repeat_and_by_the_loop(world: World, place: str) -> None:
    order = await waiting(world)
    points = world.runtime.failpoints

    async def die() -> None:
        raise ConnectionError(place)

    points.arm(place, die)
    with pytest.raises(grpc.aio.AioRpcError):
        await order.start("p1", request_id="r1")
    points.disarm(place)
    begun = await order.start("p1", request_id="r1")
    assert stage(begun) == "ACTION_REQUIRED"

    other = world.order(100)
    await other.add(by_card("p2", "tok_redirect"))
    points.arm(place, die)
    with pytest.raises(grpc.aio.AioRpcError):
        await other.start("p2")
    points.disarm(place)
    world.clock.advance(timedelta(seconds=11))
    await world.background.redirects.once()
    [listed] = await other.payments()
    assert stage(listed.redirect) == "ACTION_REQUIRED"
    assert await other.start("p2") == listed.redirect


async def test_what_is_over_is_forgotten_once_its_payment_is_gone(world: World) -> None:
    order = await waiting(world)
    await act(world, await order.start("p1"), approve=False)
    await order.start("p1")
    await order.add(by_card("kept", "tok_redirect", 10))
    await act(world, await order.start("kept"), approve=False)
    await order.start("kept")
    await order.remove("p1")
    await swept(world)
    forget = {loop.name: loop.once for loop in world.app.background}["forget_redirects"]

    async def remembered() -> set[str]:
        async with world.database.reading() as tx:
            return set((await tx.execute(sa.select(REDIRECTS.c.payment_id))).scalars())

    await forget()
    assert await remembered() == {"p1", "kept"}
    world.clock.advance(timedelta(days=400))
    await swept(world)
    world.clock.advance(timedelta(days=400))
    await forget()
    assert await remembered() == {"kept"}


async def test_what_comes_in_one_call_must_be_begun_first(world: World) -> None:
    await world.card("tok_redirect")
    order = world.order(100)
    assert reasons((await order.reserve(1, by_card("p1", "tok_redirect"))).problems) == ["PAYMENT_ACTION_REQUIRED"]
    assert await order.states() == []
