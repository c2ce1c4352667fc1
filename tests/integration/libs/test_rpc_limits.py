"""Calls that begin again, and calls that are too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from libs.db import conflicts
from libs.errors import Kind, WaybillError
from libs.rpc.entrance import Outside, Tokens
from libs.rpc.fairness.limits import OutsideLimits
from libs.service.waiting import waiting
from tests.integration.libs.calls import ANNA, info_of, refusal
from tests.support.echo import ECHO, EchoServicer, EchoStub, echo_app, text
from tests.support.principals import buyer, seller
from tests.support.server import Served, serving
from waybill.order.v1 import order_service_pb2, order_service_pb2_grpc

WHOLE = {"user_share": 100, "company_share": 100, "source_share": 100, "shoppers_share": 100}
"""Everybody may have all places there are."""


@pytest.mark.parametrize("left_something", [False, True])
async def test_a_call_that_the_database_undid_begins_again_unless_it_has_left_something(
    server: Served, echo: EchoServicer, left_something: bool
) -> None:
    runs = 0

    async def answer(value: str) -> str:
        nonlocal runs
        runs += 1
        if left_something:
            conflicts.committed()
        if runs < 3:
            raise WaybillError(Kind.UNAVAILABLE, "DATABASE_BUSY", "undone", undone=True)
        return value

    echo.answer = answer
    call = server.stub(EchoStub, ANNA).Echo(text("x"))
    if left_something:
        assert ((await refusal(call)).reason, runs) == ("DATABASE_BUSY", 1)
    else:
        assert ((await call).value, runs) == ("x", 3)


async def test_a_call_that_is_undone_again_and_again_is_given_up(server: Served, echo: EchoServicer) -> None:
    runs = 0

    async def answer(value: str) -> str:
        nonlocal runs
        runs += 1
        raise WaybillError(Kind.UNAVAILABLE, "DATABASE_BUSY", "undone", undone=True)

    echo.answer = answer
    assert (await refusal(server.stub(EchoStub, ANNA).Echo(text("x")))).reason == "DATABASE_BUSY"
    assert runs == conflicts.ATTEMPTS


async def test_outside_calls_over_the_limit_are_asked_to_come_back_and_inside_ones_are_not(echo: EchoServicer) -> None:
    free = asyncio.Event()
    inside = asyncio.Semaphore(0)

    async def answer(value: str) -> str:
        if value == "wait":
            inside.release()
            await free.wait()
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(max_calls=2, **WHOLE)) as server:
        stub = server.stub(EchoStub, ANNA)
        waiting = [asyncio.create_task(stub.Echo(text("wait"))) for _ in range(2)]
        for _ in waiting:
            await inside.acquire()
        error = await refusal(stub.Echo(text("x")))
        assert error.kind is Kind.EXHAUSTED
        assert error.retry_after is not None
        assert (await server.service_stub(EchoStub, "order").Echo(text("x"))).value == "x"
        free.set()
        await asyncio.gather(*waiting)
        assert (await stub.Echo(text("x"))).value == "x"


async def test_outside_streams_have_a_limit_of_their_own_which_inside_ones_and_calls_do_not_feel(echo: EchoServicer) -> None:
    free = asyncio.Event()

    async def watched(value: str) -> AsyncIterator[str]:
        yield value
        await free.wait()

    echo.watched = watched
    async with serving(echo_app(echo), limits=OutsideLimits(max_streams=2, **WHOLE)) as server:
        stub = server.stub(EchoStub, ANNA)
        streams = [aiter(stub.Watch(text("a"))) for _ in range(2)]
        for stream in streams:
            assert (await anext(stream)).value == "a"
        error = await refusal(anext(aiter(stub.Watch(text("b")))))
        assert (error.kind, error.reason) == (Kind.EXHAUSTED, "TOO_MANY_CALLS")
        assert error.retry_after is not None
        assert (await stub.Echo(text("x"))).value == "x"
        inside = aiter(server.service_stub(EchoStub, "order").Watch(text("c")))
        assert (await anext(inside)).value == "c"
        free.set()
        assert [message.value for stream in streams async for message in stream] == []
        assert (await anext(aiter(stub.Watch(text("d"))))).value == "d"


@pytest.fixture
def held(echo: EchoServicer) -> asyncio.Event:
    """What calls and streams wait for that say `wait`; they hold their places meanwhile."""
    free = asyncio.Event()

    async def answer(value: str) -> str:
        if value == "wait":
            await free.wait()
        return value

    async def watched(value: str) -> AsyncIterator[str]:
        yield value
        await free.wait()

    echo.answer, echo.watched = answer, watched
    return free


async def running(server: Served, count: int) -> None:
    """Waits until so many outside calls run."""
    async with asyncio.timeout(10):
        while server.rpc.load.calls.running != count:
            await asyncio.sleep(0.005)


async def test_a_user_who_floods_keeps_neither_others_nor_operators_out(echo: EchoServicer, held: asyncio.Event) -> None:
    async with serving(echo_app(echo), limits=OutsideLimits(max_calls=16)) as server:
        anna, bob = server.stub(EchoStub, ANNA), server.stub(EchoStub, buyer(user="bob"))
        flood = [asyncio.create_task(anna.Echo(text("wait"))) for _ in range(100)]
        await running(server, 4)
        error = await refusal(anna.Echo(text("x")))
        assert (error.reason, error.metadata) == ("TOO_MANY_CALLS", {"limit": "user"})
        assert (await bob.Echo(text("x"))).value == "x"
        flood += [asyncio.create_task(bob.Echo(text("wait"))) for _ in range(100)]
        await running(server, 8)
        # All come from one address, which has had its half of the places by now.
        for caller in (buyer(user="cid"), buyer(user="zoe", party="globex"), seller()):
            error = await refusal(server.stub(EchoStub, caller).Echo(text("x")))
            assert error.metadata["limit"] in ("company", "source")
        assert (await server.service_stub(EchoStub, "order").Echo(text("x"))).value == "x"
        held.set()
        outcomes = await asyncio.gather(*flood, return_exceptions=True)
        assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 8
        assert server.rpc.load.calls.running == 0


async def test_behind_a_trusted_proxy_the_source_is_the_forwarded_one(echo: EchoServicer, held: asyncio.Event) -> None:
    limits = OutsideLimits(max_calls=8, trusted_proxies="127.0.0.1,::1", **(WHOLE | {"source_share": 25}))
    async with serving(echo_app(echo), limits=limits) as server:

        def call(address: str, value: str) -> asyncio.Task[bytes]:
            metadata = (*server.metadata(ANNA), *((("x-forwarded-for", address),) if address else ()))
            send = server.channel.unary_unary(ECHO, StringValue.SerializeToString, StringValue.FromString)
            return asyncio.ensure_future(send(text(value), metadata=metadata))

        calls = [call("198.51.100.1", "wait") for _ in range(2)]
        await running(server, 2)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call("6.6.6.6, 198.51.100.1", "x")
        assert info_of(refused.value).metadata["limit"] == "source"
        assert (await call("198.51.100.2", "x")).value == "x"
        # The proxy's own calls are many people's.
        calls += [call("", "wait") for _ in range(4)]
        await running(server, 6)
        held.set()
        await asyncio.gather(*calls)


async def test_a_user_who_watches_much_leaves_streams_to_others(echo: EchoServicer, held: asyncio.Event) -> None:
    async with serving(echo_app(echo), limits=OutsideLimits(max_streams=8)) as server:
        anna, bob = server.stub(EchoStub, ANNA), server.stub(EchoStub, buyer(user="bob"))
        streams = [aiter(anna.Watch(text("a"))) for _ in range(2)]
        for stream in streams:
            assert (await anext(stream)).value == "a"
        error = await refusal(anext(aiter(anna.Watch(text("b")))))
        assert (error.reason, error.metadata) == ("TOO_MANY_CALLS", {"limit": "user"})
        assert (await anext(aiter(bob.Watch(text("c"))))).value == "c"
        assert (await anna.Echo(text("x"))).value == "x"
        held.set()
        assert [message.value for stream in streams async for message in stream] == []


async def test_a_stream_that_fails_before_its_first_step_gives_its_place_back(
    echo: EchoServicer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Outside, tokens: Tokens) -> Callable[[], None]:
        raise ZeroDivisionError

    monkeypatch.setattr(Outside, "holds", broken)
    async with serving(echo_app(echo), limits=OutsideLimits(max_streams=1)) as server:
        with pytest.raises(grpc.aio.AioRpcError, match="INTERNAL"):
            await anext(aiter(server.stub(EchoStub, ANNA).Watch(text("a"))))
        assert server.rpc.load.streams.running == 0


async def test_calls_that_wait_leave_their_places_to_others_and_go_on(echo: EchoServicer) -> None:
    free = asyncio.Event()

    async def answer(value: str) -> str:
        if value == "wait":
            async with waiting():
                await free.wait()
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(max_calls=2, max_waiting=20, **WHOLE)) as server:
        anna, load = server.stub(EchoStub, ANNA), server.rpc.load
        waits = []
        for number in range(20):
            waits.append(asyncio.create_task(anna.Echo(text("wait"))))
            async with asyncio.timeout(10):
                while load.waits.running <= number:
                    await asyncio.sleep(0.002)
        assert load.calls.running == 0
        assert (await anna.Echo(text("x"))).value == "x"
        assert (await refusal(anna.Echo(text("wait")))).metadata == {"limit": "user"}
        free.set()
        assert [answer.value for answer in await asyncio.gather(*waits)] == ["wait"] * 20
        assert (load.calls.running, load.waits.running) == (0, 0)


async def test_strangers_have_few_places(echo: EchoServicer, held: asyncio.Event) -> None:
    async with serving(echo_app(echo), limits=OutsideLimits(max_calls=32)) as server:
        nobody = server.stub(EchoStub)
        flood = [asyncio.create_task(nobody.Open(text("wait"))) for _ in range(50)]
        await running(server, 1)
        assert (await refusal(nobody.Open(text("x")))).metadata == {"limit": "source"}
        assert (await server.stub(EchoStub, ANNA).Echo(text("x"))).value == "x"
        held.set()
        await asyncio.gather(*flood, return_exceptions=True)


async def test_nothing_is_made_of_the_bytes_of_a_caller_who_is_not_known(server: Served) -> None:
    """An outside caller's message that does not parse is refused for that, a stranger's for being one."""
    send = server.channel.unary_unary(ECHO, response_deserializer=StringValue.FromString)
    for metadata, reason in (((), "TOKEN_MISSING"), (server.metadata(ANNA), "MALFORMED_REQUEST")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(b"\xff\xff", metadata=metadata)
        assert reason.encode() in dict(refused.value.trailing_metadata())["grpc-status-details-bin"]


async def test_a_message_of_very_many_empty_parts_is_refused_before_it_is_parsed() -> None:
    app = echo_app()
    servicer, service = order_service_pb2_grpc.OrderServiceServicer(), "waybill.order.v1.OrderService"
    app.registrations.append((order_service_pb2_grpc.add_OrderServiceServicer_to_server, servicer, service))
    number = order_service_pb2.CreateOrderRequest.DESCRIPTOR.fields_by_name["line_items"].number
    async with serving(app) as server:
        send = server.channel.unary_unary(f"/{service}/CreateOrder")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(bytes([number << 3 | 2, 0]) * 2_000_000, metadata=server.metadata(ANNA))
    assert (refused.value.code(), refused.value.details()) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "a request has at most 100,000 elements, on all its levels together",
    )


async def test_a_refusal_that_is_answered_later_holds_no_place_meanwhile(echo: EchoServicer) -> None:
    async def answer(value: str) -> str:
        if value == "too many":
            raise WaybillError(Kind.EXHAUSTED, "TOO_MANY_CALLS", "not now", metadata={"limit": "process"})
        return value

    echo.answer = answer
    async with serving(echo_app(echo), limits=OutsideLimits(max_calls=1, refusals=1, **WHOLE)) as server:
        anna, load = server.stub(EchoStub, ANNA), server.rpc.load
        for _ in range(4):
            await refusal(anna.Echo(text("too many")))
        later = asyncio.create_task(refusal(anna.Echo(text("too many"))))
        async with asyncio.timeout(10):
            while not load.refusals.waiting:
                await asyncio.sleep(0)
        assert load.calls.running == 0
        assert (await later).reason == "TOO_MANY_CALLS"
        assert load.refusals.waiting == 0
