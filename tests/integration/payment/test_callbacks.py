"""Call-backs of providers: whatever they say and whenever they come, the provider is asked, and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from libs.errors import Kind
from services.payment.adapters.db.tables import REDIRECTS
from services.payment.adapters.gateways.signatures import HEADER, signature
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import GatewayTimeout
from services.payment.application.redirects.adopt_redirects import AdoptRedirects
from services.payment.rpc.redirects.callback_listener import CallbackListener
from tests.integration.payment.test_redirects import act, refused, swept, waiting
from tests.integration.payment.world import Order, World, held_at_gateway, running
from waybill.payment.v1 import payment_redirect_pb2 as redirect_pb
from waybill.payment.v1 import provider_callback_service_pb2 as pb
from waybill.payment.v1 import provider_callback_service_pb2_grpc as pb_grpc

SECRET = "sesame"


@pytest.fixture
async def world(databases: Any) -> AsyncIterator[World]:
    """A payment service whose test gateway signs what it sends."""
    async with running(databases, test_gateway_secret=SECRET) as made:
        yield made


async def about(world: World, payment_id: str = "p1") -> bytes:
    """The body of a call-back about the last authorization of a payment."""
    c = REDIRECTS.c
    async with world.database.reading() as tx:
        keys = await tx.execute(sa.select(c.gateway_key).where(c.payment_id == payment_id).order_by(c.id.desc()))
        return json.dumps({"key": keys.scalars().first()}).encode()


async def send(world: World, body: bytes, value: str | None = None, provider: str = "test") -> None:
    """HandleProviderCallback, signed unless a value is given."""
    made = signature(SECRET, body, world.clock.now()) if value is None else value
    header = pb.CallbackHeader(name=HEADER.title(), value=made)
    stub = world.served.stub(pb_grpc.ProviderCallbackServiceStub, None)
    await stub.HandleProviderCallback(pb.HandleProviderCallbackRequest(provider=provider, headers=[header], body=body))


async def seen(world: World, payment_id: str = "p1") -> str:
    """The state of the last one as it is stored: nobody is asked."""
    c = REDIRECTS.c
    async with world.database.reading() as tx:
        states = await tx.execute(sa.select(c.state).where(c.payment_id == payment_id).order_by(c.id.desc()))
        return str(states.scalars().first())


async def begun(world: World) -> tuple[Order, redirect_pb.PaymentRedirect]:
    order = await waiting(world)
    return order, await order.start("p1")


@pytest.mark.parametrize(("approve", "state"), [(True, "AUTHORIZED"), (False, "DECLINED")])
async def test_a_call_back_brings_what_the_buyer_did_before_the_buyer_is_back(world: World, approve: bool, state: str) -> None:
    _, redirect = await begun(world)
    await send(world, await about(world))
    assert await seen(world) == "ACTION_REQUIRED", "the provider is asked, whatever the call-back says"
    await act(world, redirect, approve)
    body = await about(world)
    await asyncio.gather(*(send(world, body) for _ in range(3)))
    assert await seen(world) == state


async def test_a_call_back_during_and_after_the_submit_changes_nothing(world: World) -> None:
    order, redirect = await begun(world)
    await act(world, redirect)
    body = await about(world)
    tried, _ = await asyncio.gather(order.reserve(), send(world, body))
    assert not tried.problems
    await send(world, body)
    assert await seen(world) == "ADOPTED"
    await order.confirm()
    await send(world, body)
    assert (await seen(world), await order.states()) == ("ADOPTED", ["CONFIRMED"])


async def test_a_call_back_between_the_look_of_a_submit_and_its_question_counts(world: World, monkeypatch: Any) -> None:
    order, redirect = await begun(world)
    await act(world, redirect)
    body, asked = await about(world), AdoptRedirects.agreed_meanwhile

    async def called_back_first(*given: Any) -> bool:
        await send(world, body)
        return await asked(*given)

    monkeypatch.setattr(AdoptRedirects, "agreed_meanwhile", called_back_first)
    assert not (await order.reserve()).problems
    assert await seen(world) == "ADOPTED"
    await order.release()


async def test_a_call_back_for_what_was_voided_or_never_was_changes_nothing(world: World) -> None:
    order, redirect = await begun(world)
    body = await about(world)
    await order.remove("p1")
    await swept(world)
    await act(world, redirect)
    await send(world, body)
    assert (await seen(world), await held_at_gateway(world)) == ("ENDED", [])
    for strange in (b'{"key": "nobody"}', b"{}", b"[]", b"\xff", b"", b'{"key": 1}', b'{"key": "\\u0000"}', b"[" * 60_000):
        await send(world, strange)


async def test_what_the_provider_has_not_signed_just_now_is_refused(world: World) -> None:
    _, redirect = await begun(world)
    await act(world, redirect)
    body, now = await about(world), world.clock.now()
    late, early = now - timedelta(minutes=5, seconds=1), now + timedelta(minutes=5, seconds=1)
    good = signature(SECRET, body, now)
    forged = ["", "t=1,v1=", good[:-1], good + "0", signature("other", body, now), signature(SECRET, body + b" ", now)]
    for value in (*forged, signature(SECRET, body, late), signature(SECRET, body, early), good.replace("t=", "t=0")):
        error = await refused(send(world, body, value))
        assert (error.kind, error.reason) == (Kind.DENIED, "CALLBACK_REFUSED")
    error = await refused(send(world, body, provider="other"))
    assert (error.kind, error.reason) == (Kind.MISSING, "PROVIDER_NOT_FOUND")
    assert await seen(world) == "ACTION_REQUIRED"
    await send(world, body, signature(SECRET, body, now - timedelta(minutes=5)))
    assert await seen(world) == "AUTHORIZED"


async def test_a_provider_that_is_silent_when_it_is_asked_is_to_call_again(world: World, monkeypatch: Any) -> None:
    _, redirect = await begun(world)
    await act(world, redirect)
    body = await about(world)

    async def silent(*_: Any) -> Any:
        raise GatewayTimeout

    monkeypatch.setattr(TestGateway, "get_by_key", silent)
    error = await refused(send(world, body))
    assert (error.kind, error.reason) == (Kind.UNAVAILABLE, "GATEWAY_SILENT")
    listener = CallbackListener(world.background.callbacks, 5.0, 1)
    port = await listener.open("127.0.0.1:0")
    try:
        raw = posted(body, signature(SECRET, body, world.clock.now()))
        assert await said(port, raw) == 503
        assert await seen(world) == "ACTION_REQUIRED"
        monkeypatch.undo()
        assert await said(port, raw) == 200
    finally:
        await listener.close()
    assert await seen(world) == "AUTHORIZED"


async def test_what_is_too_large_is_refused_before_it_is_looked_at(world: World) -> None:
    error = await refused(send(world, b"x" * 65_537))
    assert [(v.field, v.reason) for v in error.fields] == [("body", "VALUE_OUT_OF_RANGE")]


async def test_without_a_secret_no_call_back_is_taken(databases: Any) -> None:
    async with running(databases) as world:
        await refused(send(world, b"{}", signature("", b"{}", world.clock.now())))


async def said(port: int, raw: bytes) -> int:
    """The status that the listener answers; 0 when it ends the connection without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ")[1]) if answer else 0


def posted(body: bytes, value: str, path: str = "/callbacks/test", more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: pay\r\nTest-Gateway-Signature: {value}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def test_the_listener_takes_a_call_back_by_http_and_nothing_else(world: World) -> None:
    _, redirect = await begun(world)
    await act(world, redirect)
    listener = CallbackListener(world.background.callbacks, 5.0, 2)
    port = await listener.open("127.0.0.1:0")
    body = await about(world)
    value = signature(SECRET, body, world.clock.now())
    try:
        for raw, status in (
            (posted(body, "t=1,v1=0"), 400),
            (posted(body, value, "/callbacks/other"), 404),
            (posted(body, value, "/callbacks/test/more"), 404),
            (posted(body, value, "/"), 404),
            (posted(body, value).replace(b"POST", b"GET"), 404),
            (posted(body, value)[:-1], 400),
            (posted(body, value, more="Content-Length: 1\r\n"), 400),
            (posted(body, value, more="Transfer-Encoding: chunked\r\n"), 400),
            (posted(body, value, more="no header\r\n"), 400),
            (posted(body, value).replace(b"Content-Length", b"Length"), 400),
            (posted(body, value, more="X: y\r\n" * 60), 200),
            (posted(b"x" * 65_537, value), 413),
            (posted(body, value, more="".join(f"X{i}: y\r\n" for i in range(60))), 400),
            (posted(body, value, more=f"X: {'y' * 20_000}\r\n"), 413),
            (b"\r\n\r\n", 400),
            (b"", 400),
        ):
            assert await said(port, raw) == status, raw[:200]
        assert await seen(world) == "AUTHORIZED"
    finally:
        await listener.close()


async def test_the_listener_ends_what_is_slow_or_too_much(world: World) -> None:
    listener = CallbackListener(world.background.callbacks, 0.2, 1)
    port = await listener.open("127.0.0.1:0")
    try:
        slow, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /callbacks/test HTTP/1.1\r\n")
        assert await said(port, posted(b"", "")) in (0, 400)
        assert await slow.read() == b""
        writer.close()
        assert await said(port, posted(b"", "")) == 400
    finally:
        await listener.close()
