"""The server itself: health, reflection, background loops, its end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.auth import TokenVerifier
from libs.rpc import peers
from libs.rpc.server import RpcServer
from libs.service.app import ServiceApp
from libs.service.loops import Loop
from libs.service.startup import StartupError
from services.roles import ALL_ROLES
from tests.support.echo import SERVICE, EchoServicer, EchoStub, add_echo, describe, echo_app, gather, text
from tests.support.logs import lines
from tests.support.ports import free_port
from tests.support.principals import buyer
from tests.support.server import SERVICE_TOKENS, Served, key_set, service_metadata, serving
from waybill.type.v1.access_pb2 import Access, Admission
from waybill.type.v1.party_pb2 import PARTY_KIND_SELLER
from waybill_client import calls


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    async with serving(echo_app()) as running:
        yield running


@pytest.mark.parametrize("service", ["", SERVICE, "waybill.inspection.v1.InspectionService"])
async def test_health_is_open_and_names_every_service(server: Served, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(server.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


REFLECTIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


async def reflected(server: Served, name: str, **question: str) -> reflection_pb2.ServerReflectionResponse:
    """What the reflection service of this name answers. Both have the same messages on the wire."""
    ask = server.channel.stream_stream(
        f"/{name}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return await anext(aiter(ask(iter([reflection_pb2.ServerReflectionRequest(**question)]))))


@pytest.mark.parametrize("name", REFLECTIONS)
async def test_reflection_is_open_under_both_names_and_lists_every_service(server: Served, name: str) -> None:
    answer = await reflected(server, name, list_services="")
    names = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "waybill.inspection.v1.InspectionService", "grpc.health.v1.Health", *REFLECTIONS} <= names


@pytest.mark.parametrize("symbol", REFLECTIONS)
@pytest.mark.parametrize("name", REFLECTIONS)
async def test_reflection_describes_itself_under_both_names(server: Served, name: str, symbol: str) -> None:
    answer = await reflected(server, name, file_containing_symbol=symbol)
    (packed,) = answer.file_descriptor_response.file_descriptor_proto
    file = descriptor_pb2.FileDescriptorProto.FromString(packed)
    package = symbol.rpartition(".")[0]
    assert (file.package, file.service[0].name) == (package, "ServerReflection")
    used = {field.type_name for message in file.message_type for field in message.field if field.type_name}
    used |= {file.service[0].method[0].input_type, file.service[0].method[0].output_type}
    assert all(kind.startswith(f".{package}.") for kind in used)


async def test_a_loop_that_fails_goes_on_and_ends_with_the_server(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setattr("libs.service.loops.AGAIN", 0.0)
    looks, settled, ended = 0, asyncio.Event(), asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise RuntimeError("a bad day")
        settled.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(echo_app(background=[Loop("look", look, 0.0)]), background=True):
        await asyncio.wait_for(settled.wait(), 30)
    assert ended.is_set()
    assert looks == 3
    assert [line["loop"] for line in lines(log) if line["event"] == "background loop failed"] == ["look"]


async def test_every_app_is_closed_even_if_one_fails_to(log: io.StringIO) -> None:
    closed: list[str] = []

    async def fails() -> None:
        closed.append("first")
        raise RuntimeError("no")

    async def closes() -> None:
        closed.append("second")

    first, second = echo_app(close=fails), echo_app(name="other", close=closes)
    second.registrations.clear()
    async with serving(first, second):
        pass
    assert closed == ["first", "second"]
    assert [line["service"] for line in lines(log) if line["event"] == "a service did not close"] == ["echo"]


async def test_a_taken_port_is_an_error(server: Served) -> None:
    other = RpcServer([], TokenVerifier(key_set), SERVICE_TOKENS, ALL_ROLES)
    with pytest.raises(StartupError, match=f"cannot listen on {server.address}"):
        await other.start(server.address)
    await other.stop(0)


async def test_a_stream_that_just_sends_a_message_ends_as_unavailable_too() -> None:
    servicer, sent = EchoServicer(), 0

    async def much(of: str) -> AsyncIterator[str]:
        nonlocal sent
        while True:
            sent += 1
            yield of * 500_000

    servicer.watched = much
    async with serving(echo_app(servicer)) as server:
        answers = aiter(EchoStub(server.channel).Watch(text("x"), metadata=server.metadata(buyer())))
        async with asyncio.timeout(20):
            await anext(answers)
            while await _grows(lambda: sent):
                pass
            ending = asyncio.create_task(server.rpc.stop(grace=10))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await gather(answers, [])
            await ending
    assert (refused.value.code(), refused.value.details()) == (
        grpc.StatusCode.UNAVAILABLE,
        "the server ends; resume at another one",
    )


async def _grows(value: Callable[[], int]) -> bool:
    before = value()
    await asyncio.sleep(0.2)
    return value() > before


@pytest.mark.parametrize("options", [peers.CHANNEL_OPTIONS, calls.OPTIONS], ids=["services", "clients"])
async def test_calls_that_a_server_s_end_finds_on_their_way_are_answered_by_another(options: tuple[tuple[str, Any], ...]) -> None:
    def replica() -> RpcServer:
        return RpcServer([echo_app()], TokenVerifier(key_set), SERVICE_TOKENS, ALL_ROLES)

    servers = [replica(), replica()]
    ports = [free_port() for _ in servers]
    for server, port in zip(servers, ports, strict=True):
        await server.start("127.0.0.1:0", f"127.0.0.1:{port}")
    over, answered = False, 0

    async def load(echo: EchoStub) -> None:
        nonlocal answered
        while not over:
            assert await echo.Echo(text("x"), metadata=service_metadata("order"), timeout=60) == text("x")
            answered += 1

    async with grpc.aio.insecure_channel(f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}", options=options) as channel:
        loads = [asyncio.create_task(load(EchoStub(channel))) for _ in range(40)]
        for turn in range(6):
            number, before = turn % 2, answered
            # Shorter than the callers wait: what a server took and never looked at is let go when its grace is over.
            await servers[number].stop(grace=5)
            servers[number] = replica()
            await servers[number].start("127.0.0.1:0", f"127.0.0.1:{ports[number]}")
            while answered < before + 400 and not any(task.done() for task in loads):
                await asyncio.sleep(0.02)
        over = True
        ends = await asyncio.gather(*loads, return_exceptions=True)
    for server in servers:
        await server.stop(0)
    assert ends == [None] * len(loads)


async def test_streams_of_health_and_reflection_end_with_the_server() -> None:
    asked = asyncio.Event()

    async def one_question() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        await asked.wait()

    async with serving(echo_app()) as server:
        states = aiter(health_pb2_grpc.HealthStub(server.channel).Watch(health_pb2.HealthCheckRequest()))
        answers = aiter(reflection_pb2_grpc.ServerReflectionStub(server.channel).ServerReflectionInfo(one_question()))
        assert (await anext(states)).status == health_pb2.HealthCheckResponse.SERVING
        await anext(answers)
        ending = asyncio.create_task(server.rpc.stop(grace=60))
        async with asyncio.timeout(20):
            assert [state.status async for state in states] == [health_pb2.HealthCheckResponse.NOT_SERVING]
            assert [answer async for answer in answers] == []
            await ending


async def test_a_server_of_a_method_that_does_not_say_who_may_call_it_is_not_made() -> None:
    service = "test.unknown_role.v1.EchoService"
    describe(service, {"Echo": Access(admits=[Admission(parties=[PARTY_KIND_SELLER], any_of_roles=["Reader"])])})
    app = ServiceApp(name="echo", registrations=[(add_echo, EchoServicer(), service)])
    with pytest.raises(StartupError, match="Echo: there is no role 'Reader'"):
        RpcServer([app], TokenVerifier(key_set), SERVICE_TOKENS, ALL_ROLES)
