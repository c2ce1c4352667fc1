"""The page of the test gateway, as a browser uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from services.payment.adapters.db.tables import GATEWAY, REDIRECTS
from services.payment.adapters.gateways.testing import PAGES, TestGateway
from services.payment.application.gateway.ports import GatewayTimeout, Verdict
from services.payment.main import build
from services.payment.rpc.redirects.callback_listener import CallbackListener
from services.payment.rpc.redirects.provider_page import ProviderPage
from services.payment.settings import Settings
from tests.integration.payment.test_callbacks import SECRET, begun, seen
from tests.integration.payment.test_redirects import HOUR
from tests.integration.payment.world import World, running
from tests.support.server import runtime_for
from waybill.payment.v1 import payment_redirect_pb2 as redirect_pb

BACK = "https://shop.example/back?order=1&tab=%22"


@pytest.fixture
async def world(databases: Any) -> AsyncIterator[World]:
    """A payment service whose test gateway signs what it sends."""
    async with running(databases, test_gateway_secret=SECRET) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser is sent."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Browser:
    """One that follows nobody to another page by itself."""

    port: int

    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request on a connection of its own."""
        return await asyncio.to_thread(self._send, method, path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if body else {})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read().decode())
        finally:
            connection.close()

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def press(self, path: str, decision: str) -> Answer:
        """A button of the form."""
        return await self.send("POST", path, urlencode({"decision": decision}).encode())


@asynccontextmanager
async def browser(world: World, served: bool = True) -> AsyncIterator[Browser]:
    """A browser before the listener."""
    assert world.background.play is not None
    page = ProviderPage(world.background.play) if served else None
    listener = CallbackListener(world.background.callbacks, 5.0, 5, page)
    try:
        yield Browser(await listener.open("127.0.0.1:0"))
    finally:
        await listener.close()


def path_of(redirect: redirect_pb.PaymentRedirect) -> str:
    """Where the page is, when the listener serves it."""
    assert redirect.url.startswith(f"{PAGES}/")
    return "/test-gateway/" + redirect.url.removeprefix(f"{PAGES}/")


async def stored(world: World, **values: Any) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(sa.update(GATEWAY).values(**values))


@pytest.mark.parametrize(
    ("decision", "state"), [("approve", "AUTHORIZED"), ("decline", "DECLINED"), ("leave", "ACTION_REQUIRED")]
)
async def test_a_buyer_decides_on_the_page_and_is_led_back_when_the_call_back_has_come(
    world: World, decision: str, state: str
) -> None:
    _, redirect = await begun(world)
    await stored(world, return_url=BACK)
    async with browser(world) as client:
        shown = await client.get(path_of(redirect))
        assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "The shop asks for 100 USD." in shown.text
        assert [name in shown.text for name in ('value="approve"', 'value="decline"', 'value="leave"')] == [True] * 3
        sent = await client.press(path_of(redirect), decision)
        assert (sent.status, sent.headers["location"]) == (303, BACK)
        assert await seen(world) == state
        again = await client.get(path_of(redirect))
        assert ('value="approve"' in again.text) is (decision == "leave")
        other = await client.press(path_of(redirect), "decline" if decision == "approve" else "approve")
        assert other.headers["location"] == BACK
    assert await seen(world) == {"ACTION_REQUIRED": "AUTHORIZED"}.get(state, state), "who has decided does not decide again"


async def test_nothing_is_decided_after_the_time_of_a_page(world: World) -> None:
    _, redirect = await begun(world)
    world.clock.advance(HOUR)
    async with browser(world) as client:
        shown = await client.get(path_of(redirect))
        assert (shown.status, 'value="approve"' in shown.text) == (200, False)
        assert (await client.press(path_of(redirect), "approve")).status == 303
    assert await seen(world) == "ACTION_REQUIRED"


async def test_a_buyer_is_led_back_though_no_call_back_comes(world: World, databases: Any, monkeypatch: Any) -> None:
    _, redirect = await begun(world)

    async def silent(*_: Any) -> Any:
        raise GatewayTimeout

    monkeypatch.setattr(TestGateway, "get_by_key", silent)
    async with browser(world) as client:
        assert (await client.press(path_of(redirect), "approve")).status == 303
    assert await seen(world) == "ACTION_REQUIRED"
    monkeypatch.undo()
    c = REDIRECTS.c
    async with running(databases) as other, browser(other) as client:
        order, redirect = await begun(other)
        assert (await client.press(path_of(redirect), "approve")).status == 303
        assert await seen(other) == "ACTION_REQUIRED", "without a secret nothing is signed"
        assert not (await order.reserve()).problems, "a submit asks by itself"
        await order.release()
        async with other.database.reading() as tx:
            assert (await tx.execute(sa.select(c.state))).scalars().all() == ["AUTHORIZED"]


async def test_the_page_escapes_what_it_shows_and_leads_to_nothing_but_a_url(world: World) -> None:
    _, redirect = await begun(world)
    await stored(world, currency="<i>")
    async with browser(world) as client:
        shown = await client.get(path_of(redirect))
        assert "&lt;i&gt;" in shown.text
        assert "<i>" not in shown.text
        said: Mapping[str, str] = shown.headers
        assert (said["referrer-policy"], said["cache-control"], said["x-content-type-options"]) == (
            "no-referrer",
            "no-store",
            "nosniff",
        )
        assert said["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
        for back in ("javascript:alert(1)", "https://shop.example/\r\nSet-Cookie: a=b", "https://shop.example/ü", "//evil"):
            await stored(world, return_url=back)
            left = await client.press(path_of(redirect), "leave")
            assert (left.status, "location" in left.headers, "set-cookie" in left.headers) == (400, False, False)
        await stored(world, currency="USD")


async def test_what_is_no_page_and_no_decision_is_refused(world: World) -> None:
    _, redirect = await begun(world)
    path = path_of(redirect)
    async with browser(world) as client:
        for wrong in (
            "/test-gateway/nobody",
            "/test-gateway/",
            "/test-gateway",
            "/",
            f"{path}/more",
            f"{path}?x=1",
            path.upper(),
        ):
            assert (await client.get(wrong)).status == 404
            assert (await client.press(wrong, "approve")).status == 404
        for method in ("PUT", "HEAD", "DELETE", "OPTIONS"):
            assert (await client.send(method, path)).status == 404
        assert (await client.get("/callbacks/test")).status == 404
        for body in (b"", b"decision=", b"decision=yes", b"decision=approve&decision=decline", b"\xff", b"a=1&" * 50, b"approve"):
            assert (await client.send("POST", path, body)).status == 400
        assert (await client.send("POST", path, b"x" * 65_537)).status == 413
    async with browser(world, served=False) as client:
        assert [(await client.get(path)).status, (await client.press(path, "approve")).status] == [404, 404]
    assert await seen(world) == "ACTION_REQUIRED"


async def test_a_service_that_listens_for_call_backs_serves_the_page(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, schema = await databases("payment")
    ports: list[int] = []
    opened = CallbackListener.open

    async def noted(listener: CallbackListener, bind: str) -> int:
        ports.append(await opened(listener, bind))
        return ports[-1]

    monkeypatch.setattr(CallbackListener, "open", noted)
    app = await build(Settings(url, schema, callback_bind="127.0.0.1:0"), runtime_for("payment"))
    try:
        client = Browser(ports[0])
        gateway = TestGateway(app.database)
        answer = await gateway.start("k", "tok_redirect", 12_500_000, "USD", BACK, datetime.now(UTC) + HOUR)
        assert "The shop asks for 12.5 USD." in (await client.get(f"/test-gateway/{answer.reference}")).text
        assert (await client.press(f"/test-gateway/{answer.reference}", "approve")).headers["location"] == BACK
        assert (await gateway.get_by_key("k")).verdict is Verdict.APPROVED
        assert (await client.send("POST", "/callbacks/test", b"{}")).status == 400
    finally:
        await app.close()
