"""What every call passes, through a real server and a real channel."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from libs import repeats
from libs.auth import TokenVerifier
from libs.errors import FieldViolation, Kind, WaybillError, missing
from libs.obs import configure_logging
from libs.rpc import Call, current, require_service
from libs.rpc.counters import served
from libs.rpc.interceptor import MAX_OUTSIDE
from tests.support.echo import ECHO, OPEN, SERVICE, WATCH, EchoServicer, EchoStub, echo_app, gather, text
from tests.support.logs import lines
from tests.support.principals import buyer, seller
from tests.support.server import Served, service_metadata, serving, token_for

ANNA = buyer()


@pytest.fixture
def echo() -> EchoServicer:
    return EchoServicer()


@pytest.fixture
async def server(echo: EchoServicer) -> AsyncIterator[Served]:
    async with serving(echo_app(echo)) as running:
        yield running


async def refusal(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as caught:
        await call
    return caught.value


async def raw(server: Served, data: bytes, metadata: Any, method: str = ECHO) -> bytes:
    """A call with bytes of our own choosing."""
    return await server.channel.unary_unary(method)(data, metadata=metadata)  # type: ignore[no-any-return]


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


async def test_a_handler_knows_who_calls_what_and_until_when(server: Served, echo: EchoServicer) -> None:
    calls: list[Call] = []

    async def answer(_: str) -> str:
        calls.append(current())
        return "seen"

    echo.answer = answer
    await EchoStub(server.channel).Echo(text("x"), metadata=server.metadata(ANNA, "req-1"), timeout=5)
    assert (await server.stub(EchoStub, ANNA).Echo(text("x"), timeout=None)).value == "seen"
    first, second = calls
    assert (first.method, first.request_id, first.principal, first.caller_service) == (
        ECHO,
        "req-1",
        ANNA,
        None,
    )
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
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await EchoStub(server.channel).Echo(text("x"), metadata=metadata)
    assert info_of(caught.value).reason == "TOKEN_INVALID"


async def test_an_open_method_needs_no_token_but_refuses_a_bad_one(server: Served) -> None:
    assert (await server.stub(EchoStub).Open(text("x"))).value == "x"
    with pytest.raises(grpc.aio.AioRpcError):
        await EchoStub(server.channel).Open(text("x"), metadata=(("authorization", "Bearer x"),))


async def test_an_open_method_that_asks_for_its_caller_refuses_nobody(
    server: Served, echo: EchoServicer
) -> None:
    async def answer(_: str) -> str:
        return current().principal.user_id

    echo.answer = answer
    assert (await refusal(server.stub(EchoStub).Open(text("x")))).reason == "TOKEN_MISSING"


async def test_an_internal_method_is_for_the_named_services_only(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        require_service("order")
        return current().principal.party_id

    echo.answer = answer
    as_order = server.service_stub(EchoStub, "order", ANNA)
    assert (await as_order.Echo(text("x"))).value == "acme"
    for stub in (server.service_stub(EchoStub, "pricing", ANNA), server.stub(EchoStub, seller())):
        error = await refusal(stub.Echo(text("x")))
        assert (error.kind, error.reason) == (Kind.DENIED, "SERVICE_ONLY")


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\x07\x07", b"\x0a\x05abc"])
@pytest.mark.parametrize("method", [ECHO, OPEN])
async def test_a_message_that_does_not_parse_is_malformed(server: Served, data: bytes, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, data, server.metadata(ANNA), method)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


async def test_a_stranger_is_not_told_what_is_wrong_with_the_message(server: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, b"\x0a\xff", ())
    assert info_of(caught.value).reason == "TOKEN_MISSING"


async def test_an_outside_message_over_the_limit_is_refused_and_an_inside_one_is_not(server: Served) -> None:
    large = text("x" * (MAX_OUTSIDE + 1))
    error = await refusal(server.stub(EchoStub, ANNA).Echo(large))
    assert error.kind is Kind.INVALID
    assert len((await server.service_stub(EchoStub, "order").Echo(large)).value) == MAX_OUTSIDE + 1
    fits = text("x" * (MAX_OUTSIDE - 10))
    assert len((await server.stub(EchoStub, ANNA).Echo(fits)).value) == MAX_OUTSIDE - 10


async def test_a_large_inside_message_that_does_not_parse_is_malformed(server: Served) -> None:
    data = text("x" * MAX_OUTSIDE).SerializeToString() + b"\x07"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, data, service_metadata("order"))
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


async def test_an_error_keeps_all_its_parts(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        raise WaybillError(
            Kind.STALE, "TOO_LATE", "überholt", metadata={"a": "b"},
            fields=[FieldViolation("f", "FIELD_INVALID", "no")], retry_after=timedelta(seconds=2),
        )  # fmt: skip

    echo.answer = answer
    error = await refusal(server.stub(EchoStub, ANNA).Echo(text("x")))
    assert (error.kind, error.reason, error.message, error.metadata, error.domain) == (
        Kind.STALE, "TOO_LATE", "überholt", {"a": "b"}, "waybill.echo",
    )  # fmt: skip
    assert error.fields == (FieldViolation("f", "FIELD_INVALID", "no"),)
    assert error.retry_after == timedelta(seconds=2)


async def test_thousands_of_violations_still_arrive_as_an_error(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        fields = [FieldViolation(f"line_items[{i}].product_id", "ID_INVALID", "ä" * 50) for i in range(5_000)]
        raise WaybillError(Kind.INVALID, "ID_INVALID", "ä" * 10_000, fields=fields)

    echo.answer = answer
    async with grpc.aio.insecure_channel(server.address) as plain:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(plain).Echo(text("x"), metadata=server.metadata(ANNA))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert int(info_of(caught.value).metadata["omitted_violations"]) > 4_900


async def test_a_defect_is_internal_and_leaks_nothing(
    log: io.StringIO, server: Served, echo: EchoServicer
) -> None:
    async def answer(_: str) -> str:
        raise RuntimeError("the password is hunter2")

    echo.answer = answer
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.stub(EchoStub, ANNA).Echo(text("x"))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert info_of(caught.value).reason == "INTERNAL"
    assert "hunter2" not in str(caught.value)
    assert any("Traceback" in line.get("exception", "") for line in lines(log))
    assert [line["code"] for line in lines(log) if line["event"] == "call"] == ["INTERNAL"]


async def test_a_defect_of_verification_is_internal_too(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verify(*_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(TokenVerifier, "verify", verify)
    for call in (
        server.stub(EchoStub, ANNA).Echo(text("x")),
        anext(server.stub(EchoStub, ANNA).Watch(text("x"))),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "hunter2" not in str(caught.value)


async def test_an_unknown_method_is_unimplemented(server: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, b"", server.metadata(ANNA), f"/{SERVICE}/Nope")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


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


@pytest.mark.parametrize("left_something", [False, True])
async def test_a_call_that_the_database_undid_begins_again_unless_it_has_left_something(
    server: Served, echo: EchoServicer, left_something: bool
) -> None:
    runs = 0

    async def answer(value: str) -> str:
        nonlocal runs
        runs += 1
        if left_something:
            repeats.committed()
        if runs < 3:
            raise WaybillError(Kind.EXHAUSTED, "DATABASE_BUSY", "undone", undone=True)
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
        raise WaybillError(Kind.EXHAUSTED, "DATABASE_BUSY", "undone", undone=True)

    echo.answer = answer
    assert (await refusal(server.stub(EchoStub, ANNA).Echo(text("x")))).reason == "DATABASE_BUSY"
    assert runs == repeats.ATTEMPTS


async def test_outside_calls_over_the_limit_are_told_to_come_back_and_inside_ones_are_not(
    echo: EchoServicer,
) -> None:
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


async def test_outside_streams_have_a_limit_of_their_own_which_inside_ones_and_calls_do_not_feel(
    echo: EchoServicer,
) -> None:
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


async def test_one_line_is_logged_per_call_without_payload_or_token(log: io.StringIO, server: Served) -> None:
    await EchoStub(server.channel).Echo(text("top secret"), metadata=server.metadata(ANNA, "req-7"))
    [line] = [line for line in lines(log) if line["event"] == "call"]
    assert line["method"] == ECHO
    assert (line["code"], line["reason"], line["request_id"]) == ("OK", "", "req-7")
    assert line["caller"] == "buyer/acme/anna"
    assert line["duration_ms"] >= 0
    assert "secret" not in log.getvalue()
    assert server.token(ANNA)[:20] not in log.getvalue()


async def test_a_refused_call_is_logged_with_its_reason(log: io.StringIO, server: Served) -> None:
    await refusal(server.stub(EchoStub).Echo(text("x")))
    await server.service_stub(EchoStub, "order", ANNA).Echo(text("x"))
    await server.service_stub(EchoStub, "order").Echo(text("x"))
    found = [(line["code"], line["reason"], line["caller"]) for line in lines(log) if line["event"] == "call"]
    assert found == [
        ("UNAUTHENTICATED", "TOKEN_MISSING", "nobody"),
        ("OK", "", "order for buyer/acme/anna"),
        ("OK", "", "order"),
    ]  # fmt: skip


async def test_at_info_an_outside_call_and_every_failure_has_a_line_and_an_inside_call_that_went_well_has_none(
    log: io.StringIO, server: Served, echo: EchoServicer
) -> None:
    configure_logging("INFO", json=True, stream=log)
    await server.stub(EchoStub, ANNA).Echo(text("x"))
    await server.service_stub(EchoStub, "order").Echo(text("x"))

    async def fail(_: str) -> str:
        raise missing("thing", "x")

    echo.answer = fail
    await refusal(server.service_stub(EchoStub, "order").Echo(text("x")))
    found = [(line["level"], line["code"], line["caller"]) for line in lines(log) if line["event"] == "call"]
    assert found == [("info", "OK", "buyer/acme/anna"), ("info", "NOT_FOUND", "order")]


async def test_above_info_no_call_has_a_line(log: io.StringIO, server: Served) -> None:
    configure_logging("WARNING", json=True, stream=log)
    await server.stub(EchoStub, ANNA).Echo(text("x"))
    await refusal(server.stub(EchoStub).Echo(text("x")))
    assert lines(log) == []
