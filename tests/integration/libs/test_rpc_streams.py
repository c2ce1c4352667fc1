"""Streams, and calls that their callers leave."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import grpc
import pytest

from libs.errors import WaybillError, missing
from libs.rpc import current
from libs.rpc.counters import served
from tests.integration.libs.calls import ANNA, info_of
from tests.support.echo import ECHO, WATCH, EchoServicer, EchoStub, echo_app, gather, text
from tests.support.logs import lines
from tests.support.server import Served, serving


async def test_a_stream_gives_its_items_under_the_callers_name(server: Served, echo: EchoServicer) -> None:
    async def watched(value: str) -> AsyncIterator[str]:
        for character in value:
            await asyncio.sleep(0)
            yield f"{current().principal.user_id}:{character}"

    echo.watched = watched
    got = [answer.value async for answer in server.stub(EchoStub, ANNA).Watch(text("ab"))]
    assert got == ["anna:a", "anna:b"]


async def test_a_stream_may_end_in_an_error_after_its_items(server: Served, echo: EchoServicer) -> None:
    async def watched(_: str) -> AsyncIterator[str]:
        yield "one"
        raise missing("order", "PO1")

    echo.watched = watched
    got: list[str] = []
    with pytest.raises(WaybillError) as caught:
        await gather(server.stub(EchoStub, ANNA).Watch(text("")), got)
    assert (got, caught.value.reason) == (["one"], "RESOURCE_NOT_FOUND")


async def test_a_stream_refuses_strangers_and_malformed_messages(server: Served) -> None:
    with pytest.raises(WaybillError) as caught:
        await anext(server.stub(EchoStub).Watch(text("x")))
    assert caught.value.reason == "TOKEN_MISSING"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in server.channel.unary_stream(WATCH)(b"\x0a\xff", metadata=server.metadata(ANNA)):
            pass
    assert info_of(refused.value).reason == "MALFORMED_REQUEST"


async def test_a_stream_that_the_caller_leaves_is_cleaned_up(log: io.StringIO, echo: EchoServicer) -> None:
    left = asyncio.Event()

    async def watched(_: str) -> AsyncIterator[str]:
        try:
            yield "one"
            await asyncio.Event().wait()
        finally:
            left.set()

    echo.watched = watched
    async with serving(echo_app(echo)) as server:
        call = EchoStub(server.channel).Watch(text(""), metadata=server.metadata(ANNA))
        assert (await anext(aiter(call))).value == "one"
        call.cancel()
        await asyncio.wait_for(left.wait(), 30)
    assert [line["code"] for line in lines(log) if line["event"] == "call"] == ["CANCELLED"]


async def test_a_call_that_the_caller_leaves_is_canceled(server: Served, echo: EchoServicer) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def answer(_: str) -> str:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return ""

    echo.answer = answer
    call = EchoStub(server.channel).Echo(text(""), metadata=server.metadata(ANNA))
    await entered.wait()
    call.cancel()
    await asyncio.wait_for(left.wait(), 30)


async def test_calls_are_counted_by_method(server: Served) -> None:
    before = served.copy()
    stub = server.stub(EchoStub, ANNA)
    await stub.Echo(text("x"))
    await stub.Echo(text("x"))
    async for _ in stub.Watch(text("abc")):
        pass
    assert served - before == {ECHO: 2, WATCH: 1}
