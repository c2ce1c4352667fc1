"""Connections end, and nobody's call fails of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from libs.rpc.fairness.connections import ConnectionLimits
from tests.integration.libs.calls import ANNA
from tests.support.echo import WATCH, EchoServicer, EchoStub, echo_app, text
from tests.support.server import serving

SHORT = ConnectionLimits(connection_idle=0.2)


async def states(channel: Any, wanted: grpc.ChannelConnectivity) -> None:
    """Waits until the channel has come to a state."""
    async with asyncio.timeout(20):
        while (state := channel.get_state()) is not wanted:
            await channel.wait_for_state_change(state)


async def test_an_idle_connection_ends_and_the_next_call_makes_another(echo: EchoServicer) -> None:
    async with serving(echo_app(echo), connections=SHORT) as server:
        outside, inside = server.stub(EchoStub, ANNA), server.service_stub(EchoStub, "order")
        for number in range(3):
            assert (await outside.Echo(text(f"{number}"))).value == f"{number}"
            assert (await inside.Echo(text(f"{number}"))).value == f"{number}"
            for channel in (server.channel, server.inner):
                await states(channel, grpc.ChannelConnectivity.IDLE)


async def test_a_connection_with_a_stream_is_not_idle(echo: EchoServicer) -> None:
    free = asyncio.Event()

    async def watched(value: str) -> AsyncIterator[str]:
        yield "first"
        await free.wait()
        yield "last"

    echo.watched = watched
    async with serving(echo_app(echo), connections=SHORT) as server:
        stream = aiter(server.stub(EchoStub, ANNA).Watch(text("x")))
        assert (await anext(stream)).value == "first"
        # Meanwhile another connection has been idle for long enough.
        assert (await server.service_stub(EchoStub, "order").Echo(text("x"))).value == "x"
        await states(server.inner, grpc.ChannelConnectivity.IDLE)
        assert server.channel.get_state() is grpc.ChannelConnectivity.READY
        free.set()
        assert [message.value async for message in stream] == ["last"]


async def test_an_old_connection_is_left_by_new_calls_while_its_stream_goes_on(echo: EchoServicer) -> None:
    free = asyncio.Event()

    async def watched(value: str) -> AsyncIterator[str]:
        yield "first"
        await free.wait()
        yield "last"

    echo.watched = watched
    async with serving(echo_app(echo), connections=ConnectionLimits(connection_age=1.0)) as server:
        stub = server.stub(EchoStub, ANNA)
        stream = aiter(stub.Watch(text("x")))
        assert (await anext(stream)).value == "first"
        await states(server.channel, grpc.ChannelConnectivity.IDLE)
        assert (await stub.Echo(text("x"))).value == "x"
        free.set()
        assert [message.value async for message in stream] == ["last"]


async def test_a_stream_whose_client_has_vanished_gives_its_place_back(echo: EchoServicer) -> None:
    async def watched(value: str) -> AsyncIterator[str]:
        yield "first"
        await asyncio.Event().wait()

    echo.watched = watched
    lost = asyncio.Event()
    limits = ConnectionLimits(connection_ping=1.0, connection_silence=1.0)
    async with (
        serving(echo_app(echo), connections=limits) as server,
        between(server.address, lost) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        call = channel.unary_stream(WATCH, StringValue.SerializeToString, StringValue.FromString)
        stream = aiter(call(text("x"), metadata=server.metadata(ANNA)))
        assert (await anext(stream)).value == "first"
        assert server.rpc.load.streams.running == 1
        lost.set()
        async with asyncio.timeout(20):
            while server.rpc.load.streams.running:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def between(address: str, lost: asyncio.Event) -> AsyncIterator[str]:
    """An address of the loopback that leads to another one, until everything on the way is lost and nobody is notified."""
    host, _, port = address.rpartition(":")
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if not lost.is_set():
                writer.write(data)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        tasks.update({asyncio.create_task(carry(reader, back)), asyncio.create_task(carry(there, writer))})

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_every_limit_reaches_grpc() -> None:
    limits = ConnectionLimits(connection_idle=1.5, connection_age=2.0, connection_ping=3.0, connection_silence=4.0)
    assert dict(limits.options) == {
        "grpc.max_connection_idle_ms": 1_500,
        "grpc.max_connection_age_ms": 2_000,
        "grpc.keepalive_time_ms": 3_000,
        "grpc.keepalive_timeout_ms": 4_000,
        "grpc.http2.ping_timeout_ms": 4_000,
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_ping_interval_without_data_ms": 10_000,
    }
