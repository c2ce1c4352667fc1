"""WatchOrders: nothing is skipped, nothing is sent twice, and a token is nobody else's."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.tuning import Tuning
from libs.relay.feed import append
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from services.order.adapters.db.rows import event_row
from services.order.adapters.db.tables import EVENTS, ORDERS
from services.order.domain.model import Event
from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create, marketplace
from tests.support.ports import free_address
from tests.support.prepared import Prepared
from tests.support.sealing import sealing_key_for
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, Waybill, WaybillError

Request = order_service_pb2.WatchOrdersRequest


async def collect(client: AsyncWaybill, request: Request, count: int) -> tuple[list[tuple[str, int]], str]:
    """So many events, and the token after the last one."""
    found: list[tuple[str, int]] = []
    token = ""
    async with asyncio.timeout(30):
        async for message in client.orders.WatchOrders(request):
            token = message.resume_token
            if message.HasField("event"):
                found.append((message.event.order_id, message.event.sequence))
            if len(found) == count:
                break
    return found, token


@pytest.mark.on_sqlite
async def test_a_resumed_watch_goes_on_where_it_ended(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    ids = ["R-W1", "R-W2", "R-W3"]
    for id in ids:
        await create(ada, id, anvil=1)
    first, token = await collect(ada, Request(direction=OUTGOING, order_ids=ids, from_start=True), 2)
    rest, _ = await collect(ada, Request(direction=OUTGOING, order_ids=ids, resume_token=token), 1)
    assert [*first, *rest] == [("R-W1", 1), ("R-W2", 1), ("R-W3", 1)]


@pytest.mark.on_sqlite
async def test_a_watch_of_the_client_goes_on_when_its_server_is_replaced(tmp_path: Path, database_url: str) -> None:
    settings = HostSettings(
        data=tmp_path,
        database_url=database_url,
        sealing_key=sealing_key_for(database_url),
        bind=free_address(),
        tuning=Tuning(pool_size=8),
    )
    seen: list[tuple[str, int]] = []
    too: list[tuple[str, int]] = []
    async with running(settings) as first:
        assert first.secret is not None
        secret, address = first.secret.client_secret, first.address
        async with AsyncWaybill(address, "waybill-admin", secret) as owner:
            await set_up(owner)
        ada = AsyncWaybill(address, SHOP, username="ada", password=PASSWORD)
        watching = asyncio.create_task(_events(ada, seen, 3))
        blocking = asyncio.create_task(asyncio.to_thread(_blocking_events, address, too, 3))
        await create(ada, "BEFORE", anvil=1)
        while not (seen and too):
            await asyncio.sleep(0.02)
    async with running(settings):
        await create(ada, "AFTER", anvil=1)
        await create(ada, "LAST", anvil=1)
        async with asyncio.timeout(30):
            await asyncio.gather(watching, blocking)
    assert seen == too == [("BEFORE", 1), ("AFTER", 1), ("LAST", 1)]
    await ada.close()


async def _events(client: AsyncWaybill, into: list[tuple[str, int]], count: int) -> None:
    async for message in client.watch_orders(Request(direction=OUTGOING, from_start=True)):
        if message.HasField("event"):
            into.append((message.event.order_id, message.event.sequence))
        if len(into) == count:
            return


def _blocking_events(address: str, into: list[tuple[str, int]], count: int) -> None:
    with Waybill(address, SHOP, username="ada", password=PASSWORD) as client:
        for message in client.watch_orders(Request(direction=OUTGOING, from_start=True)):
            if message.HasField("event"):
                into.append((message.event.order_id, message.event.sequence))
            if len(into) == count:
                return


@pytest.mark.on_sqlite
async def test_changes_written_at_the_same_time_are_all_sent_once(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    ids = [f"P{i}" for i in range(20)]
    watching = asyncio.create_task(collect(ada, Request(direction=OUTGOING, order_ids=ids, from_start=True), 20))
    await asyncio.gather(*(create(ada, id, anvil=1) for id in ids))
    found, _ = await watching
    assert sorted(found) == sorted((id, 1) for id in ids)


async def test_the_seller_hears_of_an_order_from_its_submit_on(market: Marketplace) -> None:
    await create(market.people.ada, "CART", anvil=1)
    await market.people.ada.place_order({"anvil": 1}, id="PLACED")
    request = Request(direction=INCOMING, from_start=True, event_types=["order_created", "order_submitted"])
    found, _ = await collect(market.people.sam, request, 2)
    assert {order for order, _ in found} == {"PLACED"}


async def test_a_supplier_hears_of_its_own_supplier_orders_only(market: Marketplace) -> None:
    await market.people.ada.place_order({"anvil": 1, "lamp": 1}, id="SPLIT")
    found, _ = await collect(market.people.clerks["lumenworks"], Request(direction=ALL, from_start=True), 1)
    assert found == [("SPLIT-2", 1)]


@pytest.mark.parametrize("token", ["nonsense", "W10"])
async def test_a_token_that_is_none_of_ours_is_refused(shared_sqlite_market: Marketplace, token: str) -> None:
    with pytest.raises(WaybillError) as refused:
        await collect(shared_sqlite_market.people.ada, Request(direction=OUTGOING, resume_token=token), 1)
    assert refused.value.reason == "RESUME_TOKEN_INVALID"


async def test_a_token_is_good_for_ninety_days_and_says_where_to_go_on(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    ids = ["T-W1", "T-W2"]
    for id in ids:
        await create(ada, id, anvil=1)
    _, token = await collect(ada, Request(direction=OUTGOING, order_ids=ids, from_start=True), 1)
    found, _ = await collect(ada, Request(direction=OUTGOING, order_ids=ids, resume_token=older(token, days=89)), 1)
    assert found == [("T-W2", 1)]
    with pytest.raises(WaybillError) as refused:
        await collect(ada, Request(direction=OUTGOING, order_ids=ids, resume_token=older(token, days=91)), 1)
    assert (refused.value.code.name, refused.value.reason) == ("OUT_OF_RANGE", "RESUME_TOKEN_EXPIRED")
    assert refused.value.metadata == {"field": "resume_token", "restart": "from_start"}


def older(token: str, days: int) -> str:
    """The token as it would be had it been given so many days earlier."""
    parts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    parts[-1] -= days * 86_400
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


async def test_a_change_that_commits_late_is_sent_and_nothing_overtakes_it(tmp_path: Path, prepared: Prepared) -> None:
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret) as market:
        ada = market.people.ada
        await create(ada, "SLOW", anvil=1)
        _, token = await collect(ada, Request(direction=OUTGOING, from_start=True), 1)
        database = await Database.open(prepared.database_url, "waybill_order")
        try:
            async with database.transaction() as late:
                key = (await late.execute(sa.select(ORDERS.c.key).where(ORDERS.c.id == "SLOW"))).scalar_one()
                await write_late(late, key)
                # Others commit before it, and a watcher looks more than once.
                await create(ada, "FAST", anvil=1)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1.5):
                        await collect(ada, Request(direction=OUTGOING, resume_token=token), 1)
            found, _ = await collect(ada, Request(direction=OUTGOING, resume_token=token), 2)
        finally:
            await database.close()
        assert found == [("SLOW", 2), ("FAST", 1)]


@pytest.fixture
async def eager_market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """One whose watches say where they are after every look without news."""
    eager = {"watch_quiet": 1}
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret, order=eager) as made:
        yield made


async def checkpoint(client: AsyncWaybill, request: Request) -> str:
    """The token of the first checkpoint after a look at the feed without news."""
    async with asyncio.timeout(30):
        async for message in client.orders.WatchOrders(request):
            assert not message.HasField("event")
            return message.resume_token
    raise AssertionError("the watch ended")


def place(token: str) -> tuple[int, int]:
    """The position in the feed that a token means."""
    _, xact, id, *_ = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return xact, id


async def test_the_token_of_a_watcher_who_sees_nothing_moves_on(eager_market: Marketplace) -> None:
    market = eager_market
    before = await checkpoint(market.people.bob, Request(direction=OUTGOING, from_start=True))
    for id in ("W1", "W2"):
        await create(market.people.ada, id, anvil=1)
    _, seen = await collect(market.people.ada, Request(direction=OUTGOING, from_start=True), 2)
    after = await checkpoint(market.people.bob, Request(direction=OUTGOING, resume_token=before))
    assert place(after) >= place(seen) > place(before)


async def test_a_watcher_who_sees_nothing_learns_what_commits_late(eager_market: Marketplace, prepared: Prepared) -> None:
    ada = eager_market.people.ada
    await create(ada, "SLOW", anvil=1)
    updates = Request(direction=OUTGOING, from_start=True, event_types=["order_updated"])
    database = await Database.open(prepared.database_url, "waybill_order")
    try:
        async with database.transaction() as late:
            key = (await late.execute(sa.select(ORDERS.c.key).where(ORDERS.c.id == "SLOW"))).scalar_one()
            await write_late(late, key)
            await create(ada, "FAST", anvil=1)
            token = await checkpoint(ada, updates)
        resumed = Request(direction=OUTGOING, resume_token=token, event_types=["order_updated"])
        assert (await collect(ada, resumed, 1))[0] == [("SLOW", 2)]
    finally:
        await database.close()


async def write_late(late: Any, key: uuid.UUID) -> None:
    """A second version of an order and its event, as the order service would write them."""
    now = datetime.now(UTC)
    values = {"version": 2, "comments": "late", "update_time": now}
    await late.execute(sa.update(ORDERS).where(ORDERS.c.key == key).values(values))
    await append(late, EVENTS, [event_row(Event(key, 2, "order_updated", "UNSUBMITTED", "ada", "", now, {}))])


async def test_a_token_of_another_caller_is_refused(shared_sqlite_market: Marketplace) -> None:
    await create(shared_sqlite_market.people.ada, "HERS", anvil=1)
    _, token = await collect(shared_sqlite_market.people.ada, Request(direction=OUTGOING, order_ids=["HERS"], from_start=True), 1)
    with pytest.raises(WaybillError) as refused:
        await collect(shared_sqlite_market.people.bob, Request(direction=OUTGOING, order_ids=["HERS"], resume_token=token), 1)
    assert refused.value.reason == "RESUME_TOKEN_INVALID"


async def test_the_history_has_no_gap_and_says_who(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"anvil": 1}, id="STREAMED")
    answer = await shared_market.people.ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id="STREAMED", direction=OUTGOING, page_size=2)
    )
    events = list(answer.events)
    while answer.next_page_token:
        answer = await shared_market.people.ada.orders.ListOrderHistory(
            order_service_pb2.ListOrderHistoryRequest(
                order_id="STREAMED", direction=OUTGOING, page_size=2, page_token=answer.next_page_token
            )
        )
        events += answer.events
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert [e.type for e in events] == ["order_created", "submission_begun", "order_submitted", "order_forwarded"]
    assert [e.user_id for e in events] == ["ada", "ada", "ada", ""]
    assert events[2].status == order_pb2.ORDER_STATUS_OPEN
