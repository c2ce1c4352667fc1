"""A user who floods, and another one, at a real server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import grpc
import pytest

from libs.rpc.fairness.limits import OutsideLimits
from libs.service.waiting import waiting
from tests.integration.libs.calls import ANNA
from tests.support.echo import EchoServicer, EchoStub, echo_app, text
from tests.support.principals import buyer
from tests.support.server import serving

FLOOD = 100
LIMITS = OutsideLimits(max_calls=FLOOD * 2, user_share=100, company_share=100, source_share=100, shoppers_share=100)
BOB = buyer(party="globex", user="bob")


@pytest.mark.parametrize("occupies", [True, False], ids=["statements in the loop", "statements elsewhere"])
async def test_anothers_call_is_served_after_a_few_of_a_flood(echo: EchoServicer, occupies: bool) -> None:
    served: list[str] = []

    async def answer(value: str) -> str:
        if value == "flood" and occupies:
            time.sleep(0.005)  # noqa: ASYNC251 - as a statement in the loop
        elif value == "flood":
            await asyncio.sleep(0.005)
        served.append(value)
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=LIMITS) as server:
        anna = server.stub(EchoStub, ANNA)

        def call() -> int:
            """By a client that does not share the server's loop; says how many others were served meanwhile."""
            with grpc.insecure_channel(server.address) as channel:
                stub = EchoStub(channel)
                stub.Echo(text("hello"), metadata=server.metadata(BOB))
                before = len(served)
                stub.Echo(text("mine"), metadata=server.metadata(BOB))
                return served.index("mine") - before

        flood = [asyncio.ensure_future(anna.Echo(text("flood"))) for _ in range(FLOOD)]
        while not served:
            await asyncio.sleep(0)
        # Of the 99 that came before it only those that had begun, and those that began while it was on its way.
        assert await asyncio.to_thread(call) < FLOOD // 4
        await asyncio.gather(*flood)
    assert served.count("flood") == FLOOD


async def test_anothers_call_is_served_while_all_of_a_flood_wait(echo: EchoServicer) -> None:
    free = asyncio.Event()
    served: list[str] = []

    async def answer(value: str) -> str:
        if value == "flood":
            await free.wait()
        served.append(value)
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=replace(LIMITS, user_at_once=2)) as server:
        anna, bob, turns = server.stub(EchoStub, ANNA), server.stub(EchoStub, BOB), server.rpc.load.turns
        flood = [asyncio.ensure_future(anna.Echo(text("flood"))) for _ in range(FLOOD)]
        while turns.waiting < FLOOD - 2:
            await asyncio.sleep(0.001)
        await bob.Echo(text("mine"))
        assert served == ["mine"]
        free.set()
        await asyncio.gather(*flood)
    assert (len(turns), turns.waiting) == (0, 0)


async def test_who_waits_for_something_keeps_nobody_of_the_same_user_from_a_turn(echo: EchoServicer) -> None:
    free = asyncio.Event()
    waits = asyncio.Semaphore(0)

    async def answer(value: str) -> str:
        if value == "wait":
            async with waiting():
                waits.release()
                await free.wait()
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(user_at_once=1)) as server:
        stub = server.stub(EchoStub, ANNA)
        calls = [asyncio.ensure_future(stub.Echo(text("wait"))) for _ in range(3)]
        for _ in calls:
            await waits.acquire()
        assert (await stub.Echo(text("x"))).value == "x"
        free.set()
        assert [(await call).value for call in calls] == ["wait"] * 3
        turns = server.rpc.load.turns
        assert (len(turns), turns.waiting) == (0, 0)


async def test_who_calls_a_lot_has_more_than_one_call_beside_another_as_long_as_they_take_no_longer(echo: EchoServicer) -> None:
    running, most = 0, 0

    async def answer(value: str) -> str:
        nonlocal running, most
        if value == "flood":
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=replace(LIMITS, user_at_once=16)) as server:
        anna, bob = server.stub(EchoStub, ANNA), server.stub(EchoStub, BOB)
        await bob.Echo(text("mine"))

        async def flood() -> None:
            while most < 4:
                await anna.Echo(text("flood"))

        async def others() -> None:
            while most < 4:
                await bob.Echo(text("mine"))
                await asyncio.sleep(0.01)

        await asyncio.wait_for(asyncio.gather(others(), *(flood() for _ in range(8))), 60)


@pytest.mark.parametrize("by", ["cancel", "deadline"])
async def test_calls_that_are_given_up_while_they_wait_leave_nothing(echo: EchoServicer, by: str) -> None:
    inside, free = asyncio.Semaphore(0), asyncio.Event()

    async def answer(value: str) -> str:
        inside.release()
        await free.wait()
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(user_at_once=1, max_calls=400)) as server:
        stub, load = server.stub(EchoStub, ANNA), server.rpc.load
        seconds = 0.5 if by == "deadline" else 30.0
        calls = [asyncio.ensure_future(stub.Echo(text("x"), timeout=seconds)) for _ in range(20)]
        await inside.acquire()
        while load.turns.waiting < 19 and not any(call.done() for call in calls):
            await asyncio.sleep(0.001)
        if by == "cancel":
            for call in calls:
                call.cancel()
        await asyncio.wait(calls)
        while load.calls.running or load.turns.waiting or len(load.turns):
            await asyncio.sleep(0.001)
        free.set()
        assert (await stub.Echo(text("y"))).value == "y"


async def test_calls_that_are_given_up_as_they_come_keep_no_other_behind_them(echo: EchoServicer) -> None:
    async with serving(echo_app(echo), limits=LIMITS) as server:

        def give_up(rounds: int) -> None:
            """By clients of their own, whose connection goes with calls that have only just been sent."""
            for _ in range(rounds):
                with grpc.insecure_channel(server.address) as channel:
                    stub = EchoStub(channel)
                    for call in [stub.Echo.future(text("gone"), metadata=server.metadata(BOB)) for _ in range(10)]:
                        call.cancel()

        anna = server.stub(EchoStub, ANNA)
        for _ in range(20):
            await asyncio.to_thread(give_up, 5)
            assert (await anna.Echo(text("mine"), timeout=10)).value == "mine"


async def test_a_server_that_ends_ends_calls_that_wait_for_their_turn_or_place_and_nothing_of_them_stays(
    echo: EchoServicer,
) -> None:
    inside, never = asyncio.Semaphore(0), asyncio.Event()

    async def answer(value: str) -> str:
        inside.release()
        if value == "wait":
            async with waiting():
                await never.wait()
        await never.wait()
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(user_at_once=1)) as server:
        stub, load = server.stub(EchoStub, ANNA), server.rpc.load
        calls = [asyncio.ensure_future(stub.Echo(text("wait")))]
        await inside.acquire()
        calls += [asyncio.ensure_future(stub.Echo(text("x"))) for _ in range(5)]
        await inside.acquire()
        while load.turns.waiting < 4:
            await asyncio.sleep(0.001)
        assert load.waits.running == 1
        await server.rpc.stop(grace=0.05)
        ends = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)
        assert all(isinstance(end, Exception) for end in ends)
        while load.calls.running or load.waits.running or load.turns.waiting or len(load.turns):
            await asyncio.sleep(0.001)
