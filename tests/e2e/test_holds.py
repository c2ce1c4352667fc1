"""Orders on hold, as the seller, the supplier and the buyer see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from libs.clock import ShiftedClock
from services.order.adapters.clients.fulfillment import FulfillmentClient
from tests.e2e.steps import ship
from tests.support.loops import steps
from tests.support.marketplace import INCOMING, OUTGOING, Marketplace, create, get, marketplace
from tests.support.prepared import Prepared
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill_client import AsyncWaybill, WaybillError


async def hold(client: AsyncWaybill, id: str, comment: str = "", request_id: str = "") -> order_pb2.Order:
    request = pb.HoldOrderRequest(order_id=id, comment=comment, request_id=request_id)
    return (await client.orders.HoldOrder(request)).order


async def release(client: AsyncWaybill, id: str, hold_id: str, comment: str = "") -> order_pb2.Order:
    request = pb.ReleaseOrderHoldRequest(order_id=id, hold_id=hold_id, comment=comment)
    return (await client.orders.ReleaseOrderHold(request)).order


async def refused(call: object) -> str:
    with pytest.raises(WaybillError) as error:
        await call  # type: ignore[misc]
    return error.value.reason


@pytest.mark.on_sqlite
async def test_a_hold_is_seen_by_everyone_and_stops_the_supplier(market: Marketplace) -> None:
    ada, sam, east = market.people.ada, market.people.sam, market.people.clerks["wh-east"]
    await ada.place_order({"tape": 2}, id="HELD")
    await ada.place_order({"tape": 1}, id="FREE")
    made = await hold(sam, "HELD", "three cards in an hour", request_id="once")
    assert await hold(sam, "HELD", "three cards in an hour", request_id="once") == made
    (shown,) = made.holds
    assert (shown.type, shown.user_id, shown.comment) == (order_pb2.ORDER_HOLD_TYPE_MANUAL, "sam", "three cards in an hour")
    assert await refused(ship(east, "HELD-1", "l1", 1)) == "SUPPLIER_ORDER_HELD"
    assert (await get(east, "HELD-1", INCOMING)).held
    seen = await get(ada, "HELD", OUTGOING)
    assert (seen.held, seen.status) == (True, order_pb2.ORDER_STATUS_OPEN)
    listed = await sam.orders.ListOrders(pb.ListOrdersRequest(direction=INCOMING, filter="held = true"))
    assert [o.id for o in listed.orders] == ["HELD"]
    await ship(east, "FREE-1", "l1", 1)
    freed = await release(sam, "HELD", shown.id, "called her")
    assert (freed.held, freed.holds[0].release_user_id, freed.holds[0].release_comment) == (False, "sam", "called her")
    assert await release(sam, "HELD", shown.id) == freed
    await ship(east, "HELD-1", "l1", 2)
    history = await sam.orders.ListOrderHistory(pb.ListOrderHistoryRequest(order_id="HELD", direction=INCOMING))
    assert [e.type for e in history.events if "hold" in e.type or "held" in e.type] == ["order_held", "order_hold_released"]
    assert (await get(ada, "HELD", OUTGOING)).status == order_pb2.ORDER_STATUS_COMPLETED


async def test_who_may_not_hold_and_what_cannot_be_held(shared_market: Marketplace) -> None:
    people = shared_market.people
    await people.ada.place_order({"tape": 1}, id="OPEN")
    await create(people.ada, "CART", tape=1)
    assert await refused(hold(people.ada, "OPEN")) == "PARTY_NOT_ADMITTED"
    assert await refused(hold(people.clerks["wh-east"], "OPEN")) == "PARTY_NOT_ADMITTED"
    assert await refused(hold(people.sam, "NO-SUCH-ORDER")) == "RESOURCE_NOT_FOUND"
    assert await refused(release(people.sam, "OPEN", "hld_none")) == "RESOURCE_NOT_FOUND"
    with pytest.raises(WaybillError) as wrong:
        await release(people.sam, "OPEN", "no id", "x" * 2_001)
    assert [f.field for f in wrong.value.fields] == ["hold_id", "comment"]
    await ship(people.clerks["wh-east"], "OPEN-1", "l1", 1)
    assert await refused(hold(people.sam, "OPEN")) == "ORDER_STATUS_CONFLICT"


@pytest.fixture
async def still(tmp_path: Path, prepared: Prepared) -> AsyncIterator[tuple[Marketplace, ShiftedClock]]:
    """A marketplace whose clock and loops stand still until the test moves them on."""
    clock = ShiftedClock()
    async with marketplace(tmp_path, prepared.database_url, clock, background=False, secret=prepared.secret) as market:
        yield market, clock


async def test_a_hold_that_fulfillment_did_not_hear_of_is_sent_by_the_completer(
    still: tuple[Marketplace, ShiftedClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    market, clock = still
    await market.people.ada.place_order({"tape": 1}, id="DEAF")
    complete = steps(market.host.apps["order"])["CompleteSubmissions"]

    async def deaf(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(FulfillmentClient, "hold", deaf)
        assert await refused(hold(market.people.sam, "DEAF", request_id="again")) == "INTERNAL"
    assert (await get(market.people.sam, "DEAF")).held
    assert await complete() == 0, "it is left to its caller for a while"
    clock.advance(timedelta(seconds=15))
    assert sum(await asyncio.gather(complete(), complete())) >= 1
    assert await refused(ship(market.people.clerks["wh-east"], "DEAF-1", "l1", 1)) == "SUPPLIER_ORDER_HELD"
    made = await hold(market.people.sam, "DEAF", request_id="again")
    assert len(made.holds) == 1
    assert await complete() == 0
