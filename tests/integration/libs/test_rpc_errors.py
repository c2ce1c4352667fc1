"""What is refused, and how an error and a defect arrive."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import grpc
import pytest

from libs.auth import TokenVerifier
from libs.errors import FieldViolation, Kind, WaybillError
from libs.rpc.counters import served
from libs.rpc.entrance import MAX_OUTSIDE
from tests.integration.libs.calls import ANNA, info_of, raw, refusal
from tests.support.echo import ECHO, OPEN, SERVICE, EchoServicer, EchoStub, text
from tests.support.logs import lines
from tests.support.server import Served, service_metadata


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\x07\x07", b"\x0a\x05abc"])
@pytest.mark.parametrize("method", [ECHO, OPEN])
async def test_a_message_that_does_not_parse_is_malformed(server: Served, data: bytes, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, data, server.metadata(ANNA), method)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


async def test_a_stranger_does_not_learn_what_is_wrong_with_the_message(server: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, b"\x0a\xff", ())
    assert info_of(caught.value).reason == "TOKEN_MISSING"


async def test_an_outside_message_over_the_limit_is_refused_by_grpc_and_an_inside_one_is_not(server: Served) -> None:
    before = served[ECHO]
    large = text("x" * 5_000_000).SerializeToString()
    for compression in (None, grpc.Compression.Gzip):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await server.channel.unary_unary(ECHO)(large, metadata=server.metadata(ANNA), compression=compression)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert served[ECHO] == before
    assert len((await server.service_stub(EchoStub, "order").Echo(text("x" * 20_000_000))).value) == 20_000_000
    fits = text("x" * (MAX_OUTSIDE - 10))
    assert len((await server.stub(EchoStub, ANNA).Echo(fits)).value) == MAX_OUTSIDE - 10


async def test_a_large_inside_message_that_does_not_parse_is_malformed(server: Served) -> None:
    data = text("x" * MAX_OUTSIDE).SerializeToString() + b"\x07"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.inner.unary_unary(ECHO)(data, metadata=service_metadata("order"))
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


async def test_an_error_keeps_all_its_parts(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        raise WaybillError(
            Kind.STALE,
            "TOO_LATE",
            "überholt",
            metadata={"a": "b"},
            fields=[FieldViolation("f", "FIELD_INVALID", "no")],
            retry_after=timedelta(seconds=2),
        )

    echo.answer = answer
    error = await refusal(server.stub(EchoStub, ANNA).Echo(text("x")))
    assert (error.kind, error.reason, error.message, error.metadata, error.domain) == (
        Kind.STALE,
        "TOO_LATE",
        "überholt",
        {"a": "b"},
        "waybill.echo",
    )
    assert error.fields == (FieldViolation("f", "FIELD_INVALID", "no"),)
    assert error.retry_after == timedelta(seconds=2)


async def test_thousands_of_violations_still_arrive_as_an_error(server: Served, echo: EchoServicer) -> None:
    async def answer(_: str) -> str:
        fields = [FieldViolation(f"line_items[{i}].product_id", "ID_INVALID", "ä" * 50) for i in range(5_000)]
        raise WaybillError(Kind.INVALID, "INVALID_REQUEST", "ä" * 10_000, fields=fields)

    echo.answer = answer
    async with grpc.aio.insecure_channel(server.address) as plain:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(plain).Echo(text("x"), metadata=server.metadata(ANNA))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert int(info_of(caught.value).metadata["omitted_violations"]) > 4_900


async def test_a_defect_is_internal_and_leaks_nothing(log: io.StringIO, server: Served, echo: EchoServicer) -> None:
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


async def test_a_defect_of_verification_is_internal_too(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def verify(*_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(TokenVerifier, "verify", verify)
    for call in (server.stub(EchoStub, ANNA).Echo(text("x")), anext(server.stub(EchoStub, ANNA).Watch(text("x")))):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "hunter2" not in str(caught.value)


async def test_an_unknown_method_is_unimplemented(server: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(server, b"", server.metadata(ANNA), f"/{SERVICE}/Nope")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
