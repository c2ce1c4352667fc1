"""What the Python client does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from libs.clock import ManualClock
from services.host.sample.marketplace import PASSWORD, SHOP
from tests.support.marketplace import OUTGOING, Marketplace, create, marketplace
from tests.support.prepared import Prepared
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.changes.v1 import change_service_pb2
from waybill.directory.v1 import token_service_pb2
from waybill.order.v1 import order_service_pb2
from waybill_client import AsyncWaybill, Waybill, WaybillError
from waybill_client.session import Token

ASK = order_service_pb2.GetOrderRequest(order_id="O1", direction=OUTGOING)
WATCH = order_service_pb2.WatchOrdersRequest(direction=OUTGOING, from_start=True)
LONG = timedelta(minutes=61)
"""Longer than a token is good."""


@asynccontextmanager
async def outlived(tmp_path: Path, prepared_files: Prepared) -> AsyncIterator[tuple[AsyncWaybill, ManualClock, str]]:
    """Ada with an order O1 and a token that she takes for a new one, though the time of the server has gone on.

    With her come the server's clock and its address.
    """
    clock = ManualClock(datetime.now(UTC))
    async with marketplace(tmp_path, clock=clock, secret=prepared_files.secret) as market:
        await create(market.people.ada, "O1", anvil=1)
        clock.advance(-LONG)
        async with await AsyncWaybill.connect(market.address, SHOP, username="ada", password=PASSWORD) as ada:
            yield ada, clock, market.address
        clock.advance(datetime.now(UTC) - clock.now())


async def test_a_client_whose_token_is_over_signs_in_again_once(tmp_path: Path, prepared_files: Prepared) -> None:
    async with outlived(tmp_path, prepared_files) as (ada, clock, _):
        with pytest.raises(WaybillError) as refused:
            await ada.orders.GetOrder(ASK)
        assert refused.value.reason == "TOKEN_EXPIRED"
        clock.advance(LONG)
        assert (await ada.orders.GetOrder(ASK)).order.id == "O1"


async def test_a_stream_whose_token_is_over_begins_with_a_new_one(tmp_path: Path, prepared_files: Prepared) -> None:
    async with outlived(tmp_path, prepared_files) as (ada, clock, _):
        clock.advance(LONG)
        async for message in ada.orders.WatchOrders(WATCH):
            assert message.event.order_id == "O1"
            break


async def test_the_blocking_client_signs_in_again_too(tmp_path: Path, prepared_files: Prepared) -> None:
    async with outlived(tmp_path, prepared_files) as (_, clock, address):
        with Waybill(address, SHOP, username="ada", password=PASSWORD) as blocking:
            await asyncio.to_thread(blocking._metadata)
            clock.advance(LONG)
            assert (await asyncio.to_thread(blocking.orders.GetOrder, ASK)).order.id == "O1"
        clock.advance(-LONG)
        with Waybill(address, SHOP, username="ada", password=PASSWORD) as blocking:
            await asyncio.to_thread(blocking._metadata)
            clock.advance(LONG)
            first = await asyncio.to_thread(next, iter(blocking.orders.WatchOrders(WATCH)))
            assert first.event.order_id == "O1"


async def test_a_named_server_is_asked_for_the_changes_of_its_contexts(shared_sqlite_market: Marketplace) -> None:
    address, secret = shared_sqlite_market.address, shared_sqlite_market.secret
    known = {"directory": address}
    async with AsyncWaybill("", secret.client_id, secret.client_secret, addresses=known) as owner:
        request = change_service_pb2.GetChangeFeedRequest(context="catalog")
        feed = (await owner.at(address).changes.GetChangeFeed(request)).feed
    assert (feed.context, feed.enabled) == ("catalog", True)


def issued(minutes: int, text: str = "one") -> token_service_pb2.IssueTokenResponse:
    answer = token_service_pb2.IssueTokenResponse(access_token=text)
    answer.lifetime.FromTimedelta(timedelta(minutes=minutes))
    return answer


def test_a_token_is_good_for_its_lifetime_whatever_the_clocks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr("waybill_client.session.time.monotonic", lambda: now)
    token = Token()
    assert not token.fresh
    answer = issued(60)
    answer.expire_time.FromSeconds(1)
    token.keep(answer)
    assert token.fresh
    now += 3_569.0
    assert token.fresh
    now += 1.0
    assert not token.fresh


def test_a_refused_token_is_given_up_unless_there_is_a_newer_one_already() -> None:
    expired = WaybillError(grpc.StatusCode.UNAUTHENTICATED, "over")
    expired.reason = "TOKEN_EXPIRED"
    token = Token()
    token.keep(issued(60))
    used = token.metadata
    assert not token.outlived(WaybillError(grpc.StatusCode.UNAUTHENTICATED, "no"), used)
    assert token.fresh
    token.keep(issued(60, "two"))
    assert token.outlived(expired, used)
    assert token.fresh
    assert token.outlived(expired, token.metadata)
    assert not token.fresh


async def test_an_answer_of_more_than_four_megabytes_is_taken(sqlite_market: Marketplace) -> None:
    owner = sqlite_market.people.owner
    for batch in range(2):
        products = [product_pb2.Product(id=f"large-{batch}-{n}", name="Large", active=True) for n in range(400)]
        for product in products:
            product.xp.update({"text": "x" * 7_000})
        await owner.products.BatchCreateProducts(product_service_pb2.BatchCreateProductsRequest(products=products))
    request = product_service_pb2.ListProductsRequest(page_size=1_000)
    answer = await owner.products.ListProducts(request)
    assert answer.ByteSize() > 5_000_000
    with Waybill(sqlite_market.address, "waybill-admin", sqlite_market.secret.client_secret) as blocking:
        assert await asyncio.to_thread(blocking.products.ListProducts, request) == answer
