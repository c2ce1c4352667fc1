"""Who calls: what a handler knows of it, and who is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.errors import Kind
from libs.rpc import Call, current
from tests.integration.libs.calls import ANNA, info_of, refusal
from tests.support.echo import ECHO, INNER, OPEN, EchoServicer, EchoStub, text
from tests.support.principals import buyer, seller
from tests.support.server import Served, service_metadata, token_for


async def test_a_handler_knows_who_calls_what_and_until_when(server: Served, echo: EchoServicer) -> None:
    calls: list[Call] = []

    async def answer(_: str) -> str:
        calls.append(current())
        return "seen"

    echo.answer = answer
    await EchoStub(server.channel).Echo(text("x"), metadata=server.metadata(ANNA, "req-1"), timeout=5)
    assert (await server.stub(EchoStub, ANNA).Echo(text("x"), timeout=None)).value == "seen"
    first, second = calls
    assert (first.method, first.request_id, first.principal, first.caller_service) == (ECHO, "req-1", ANNA, None)
    assert 4 < (first.remaining(60) or 0) < 5.5
    assert first.remaining(1) == 1
    assert second.deadline is None
    assert second.remaining(60) == 60
    assert second.remaining(None) is None
    assert second.request_id not in ("", "req-1")


async def test_there_is_no_current_call_outside_of_one() -> None:
    with pytest.raises(LookupError):
        current()


async def test_two_calls_at_once_do_not_see_each_other(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        before = current().principal.user_id
        await asyncio.sleep(0)
        assert current().principal.user_id == before
        return before

    echo.answer = answer
    users = [f"user{i}" for i in range(30)]
    answers = await asyncio.gather(*(server.stub(EchoStub, buyer(user=u)).Echo(text("")) for u in users))
    assert [answer.value for answer in answers] == users


async def test_a_call_without_a_token_is_refused(server: Served) -> None:
    error = await refusal(server.stub(EchoStub).Echo(text("x")))
    assert (error.kind, error.reason, error.domain) == (Kind.UNAUTHENTICATED, "TOKEN_MISSING", "waybill.echo")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Basic YTpi", "TOKEN_INVALID"),
        ("Bearer", "TOKEN_INVALID"),
        ("Bearer a.b.c", "TOKEN_INVALID"),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", "TOKEN_INVALID"),
        (f"Bearer {token_for(ANNA, timedelta(hours=-1))}", "TOKEN_EXPIRED"),
    ],
)
async def test_a_bad_token_is_refused(server: Served, header: str, reason: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await EchoStub(server.channel).Echo(text("x"), metadata=(("authorization", header),))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert info_of(caught.value).reason == reason


async def test_the_scheme_may_be_written_in_any_case(server: Served) -> None:
    metadata = (("authorization", f"bearer {server.token(ANNA)}"),)
    assert (await EchoStub(server.channel).Echo(text("x"), metadata=metadata)).value == "x"


async def test_a_forged_service_identity_is_refused_whatever_else_is_right(server: Served) -> None:
    metadata = (*server.metadata(ANNA), ("waybill-service", server.token(seller())))
    for channel in (server.channel, server.inner):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Echo(text("x"), metadata=metadata)
        assert info_of(caught.value).reason == "TOKEN_INVALID"


async def test_a_service_is_not_served_where_outside_callers_are(server: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await EchoStub(server.channel).Echo(text("x"), metadata=service_metadata("order", ANNA))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert info_of(caught.value).reason == "TOKEN_INVALID"


async def test_a_service_is_not_served_with_a_token_for_another_one(server: Served) -> None:
    taken = service_metadata("order", ANNA, "payment")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await EchoStub(server.inner).Echo(text("x"), metadata=taken)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert info_of(caught.value).reason == "TOKEN_INVALID"
    assert await EchoStub(server.inner).Echo(text("x"), metadata=service_metadata("order", ANNA, "echo")) == text("x")


async def test_whoever_is_no_service_is_not_served_where_services_are_and_nothing_is_made_of_the_message(server: Served) -> None:
    for metadata, method in ((server.metadata(ANNA), ECHO), ((), ECHO), ((), OPEN)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.inner.unary_unary(method)(b"\xff\xff", metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert info_of(caught.value).reason == "TOKEN_MISSING"
    answer = await health_pb2_grpc.HealthStub(server.inner).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_open_method_needs_no_token_but_refuses_a_bad_one(server: Served) -> None:
    assert (await server.stub(EchoStub).Open(text("x"))).value == "x"
    with pytest.raises(grpc.aio.AioRpcError):
        await EchoStub(server.channel).Open(text("x"), metadata=(("authorization", "Bearer x"),))


async def test_an_open_method_that_asks_for_its_caller_refuses_nobody(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        return current().principal.user_id

    echo.answer = answer
    assert (await refusal(server.stub(EchoStub).Open(text("x")))).reason == "TOKEN_MISSING"


async def test_an_internal_method_is_for_the_named_services_only_and_nothing_is_made_of_the_message(server: Served) -> None:
    assert (await server.service_stub(EchoStub, "order", ANNA).Inner(text("x"))).value == "x"
    for stub, reason in (
        (server.service_stub(EchoStub, "pricing", ANNA), "SERVICE_NOT_ADMITTED"),
        (server.stub(EchoStub, seller()), "SERVICE_ONLY"),
    ):
        error = await refusal(stub.Inner(text("x")))
        assert (error.kind, error.reason) == (Kind.DENIED, reason)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.inner.unary_unary(INNER)(b"\xff\xff", metadata=service_metadata("pricing"))
    assert info_of(caught.value).reason == "SERVICE_NOT_ADMITTED"


@pytest.mark.parametrize("method", ["Echo", "Open", "Inner"])
async def test_a_method_that_does_not_name_a_service_is_closed_to_it_whoever_it_calls_for(server: Served, method: str) -> None:
    for acting in (None, seller()):
        error = await refusal(getattr(server.service_stub(EchoStub, "catalog", acting), method)(text("x")))
        assert (error.kind, error.reason) == (Kind.DENIED, "SERVICE_NOT_ADMITTED")
        assert "catalog" not in error.metadata["services"]
