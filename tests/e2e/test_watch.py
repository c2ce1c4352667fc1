"""WatchOrders: nothing is skipped, nothing is told twice, and a token is nobody else's."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

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


async def test_a_resumed_watch_goes_on_where_it_ended(market: Marketplace) -> None:
    ada = market.cast.ada
    for id in ("W1", "W2", "W3"):
        await create(ada, id, anvil=1)
    first, token = await collect(ada, Request(direction=OUTGOING, from_start=True), 2)
    rest, _ = await collect(ada, Request(direction=OUTGOING, resume_token=token), 1)
    assert [*first, *rest] == [("W1", 1), ("W2", 1), ("W3", 1)]


async def test_changes_written_at_the_same_time_are_all_told_once(market: Marketplace) -> None:
    ada = market.cast.ada
    watching = asyncio.create_task(collect(ada, Request(direction=OUTGOING, from_start=True), 20))
    await asyncio.gather(*(create(ada, f"P{i}", anvil=1) for i in range(20)))
    found, _ = await watching
    assert sorted(found) == sorted((f"P{i}", 1) for i in range(20))


async def test_the_seller_is_told_of_an_order_from_its_submit_on(market: Marketplace) -> None:
    await create(market.cast.ada, "CART", anvil=1)
    await market.cast.ada.place_order({"anvil": 1}, id="PLACED")
    request = Request(direction=INCOMING, from_start=True, event_types=["order_created", "order_submitted"])
    found, _ = await collect(market.cast.sam, request, 2)
    assert {order for order, _ in found} == {"PLACED"}


async def test_a_supplier_is_told_of_its_own_supplier_orders_only(market: Marketplace) -> None:
    await market.cast.ada.place_order({"anvil": 1, "lamp": 1}, id="SPLIT")
    found, _ = await collect(market.cast.clerks["lumenworks"], Request(direction=ALL, from_start=True), 1)
    assert found == [("SPLIT-2", 1)]


@pytest.mark.parametrize("token", ["nonsense", "W10"])
async def test_a_token_that_is_none_of_ours_is_refused(sqlite_market: Marketplace, token: str) -> None:
    with pytest.raises(WaybillError) as refused:
        await collect(sqlite_market.cast.ada, Request(direction=OUTGOING, resume_token=token), 1)
    assert refused.value.reason == "RESUME_TOKEN_INVALID"


async def test_a_token_of_another_caller_is_refused(sqlite_market: Marketplace) -> None:
    await create(sqlite_market.cast.ada, "W1", anvil=1)
    _, token = await collect(sqlite_market.cast.ada, Request(direction=OUTGOING, from_start=True), 1)
    with pytest.raises(WaybillError) as refused:
        await collect(sqlite_market.cast.bob, Request(direction=OUTGOING, resume_token=token), 1)
    assert refused.value.reason == "RESUME_TOKEN_INVALID"


async def test_the_history_has_no_gap_and_says_who(market: Marketplace) -> None:
    await market.cast.ada.place_order({"anvil": 1}, id="H1")
    answer = await market.cast.ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id="H1", direction=OUTGOING, page_size=2)
    )
    events = list(answer.events)
    while answer.next_page_token:
        answer = await market.cast.ada.orders.ListOrderHistory(
            order_service_pb2.ListOrderHistoryRequest(
                order_id="H1", direction=OUTGOING, page_size=2, page_token=answer.next_page_token
            )
        )
        events += answer.events
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert [e.type for e in events] == ["order_created", "submission_begun", "order_submitted", "order_forwarded"]
    assert [e.user_id for e in events] == ["ada", "ada", "ada", ""]
    assert events[2].status == order_pb2.ORDER_STATUS_OPEN
