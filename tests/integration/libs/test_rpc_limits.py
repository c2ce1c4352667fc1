"""Calls that begin again, and calls that are too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from libs.db import conflicts
from libs.errors import Kind, WaybillError
from tests.integration.libs.calls import ANNA, refusal
from tests.support.echo import ECHO, EchoServicer, EchoStub, echo_app, text
from tests.support.server import Served, serving
from waybill.order.v1 import order_service_pb2, order_service_pb2_grpc


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
    async with serving(echo_app(echo), max_outside_calls=2) as server:
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
    async with serving(echo_app(echo), max_outside_streams=2) as server:
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
