"""What suppliers do comes back to the buyer's order."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from libs.db.statements import counting
from services.order.adapters.db.order_store import SqlOrderStore
from services.order.adapters.db.reading.versions import OrderVersions
from services.order.application.reading.read_orders import Standing
from tests.e2e.steps import ship
from tests.support.marketplace import ALL, OUTGOING, Marketplace, get
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import WaybillError


@pytest.mark.on_sqlite
async def test_a_rejected_supplier_order_is_sourced_again_and_the_order_still_completes(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"crate": 5}, id="SOURCED")
    await shared_market.people.clerks["wh-east"].supplier_orders.RejectSupplierOrder(
        pb.RejectSupplierOrderRequest(supplier_order_id="SOURCED-1", comment="dock flooded")
    )
    west = shared_market.people.clerks["wh-west"]
    (mine,) = (
        await west.supplier_orders.ListSupplierOrders(pb.ListSupplierOrdersRequest(filter='order_id = "SOURCED"'))
    ).supplier_orders
    assert [(line.line_item_id, line.quantity) for line in mine.line_items] == [("l1", 5)]
    await ship(west, mine.id, "l1", 5)
    order = await get(shared_market.people.ada, "SOURCED", OUTGOING)
    assert order.status == order_pb2.ORDER_STATUS_COMPLETED
    assert order.HasField("complete_time")


@pytest.mark.on_sqlite
async def test_part_shipments_move_the_buyers_units_one_by_one(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 3}, id="PARTS")
    east = shared_market.people.clerks["wh-east"]
    left = []
    for _ in range(3):
        await ship(east, "PARTS-1", "l1", 1)
        answer = await shared_market.people.ada.orders.GetOrder(
            order_service_pb2.GetOrderRequest(order_id="PARTS", direction=OUTGOING, include_line_items=True)
        )
        left.append((answer.line_items[0].quantity_open, answer.order.status))
    open_, completed = order_pb2.ORDER_STATUS_OPEN, order_pb2.ORDER_STATUS_COMPLETED
    assert left == [(2, open_), (1, open_), (0, completed)]


async def test_more_than_is_open_cannot_be_shipped(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 3}, id="MORE")
    with pytest.raises(WaybillError) as refused:
        await ship(shared_market.people.clerks["wh-east"], "MORE-1", "l1", 4)
    reasons = {refused.value.reason, *(f.reason for f in refused.value.fields), *(r.reason for r in refused.value.rules)}
    assert "SHIPMENT_EXCEEDS_OPEN" in reasons
    assert (await get(shared_market.people.ada, "MORE", OUTGOING)).status == order_pb2.ORDER_STATUS_OPEN


async def test_a_caller_reads_its_own_write_by_its_version(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 1}, id="RYOW")
    east = shared_market.people.clerks["wh-east"]
    accepted = await east.supplier_orders.AcceptSupplierOrder(pb.AcceptSupplierOrderRequest(supplier_order_id="RYOW-1"))
    answer = await east.orders.GetOrder(
        order_service_pb2.GetOrderRequest(
            order_id="RYOW-1", direction=order_pb2.DIRECTION_INCOMING, min_version=accepted.supplier_order.version
        )
    )
    ours = answer.order
    assert ours.supplier_status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_ACCEPTED
    assert ours.source_version == accepted.supplier_order.version
    assert (ours.status, ours.sub_status) == (order_pb2.ORDER_STATUS_OPEN, "")
    bought = await get(shared_market.people.ada, "RYOW", OUTGOING)
    assert bought.supplier_status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_UNSPECIFIED


async def test_orders_are_listed_by_the_status_of_the_supplier(shared_sqlite_market: Marketplace) -> None:
    market, east = shared_sqlite_market, shared_sqlite_market.people.clerks["wh-east"]
    for id in ("BYSTATUS", "BYSTATUT"):
        await market.people.ada.place_order({"tape": 1}, id=id)
    await east.supplier_orders.AcceptSupplierOrder(pb.AcceptSupplierOrderRequest(supplier_order_id="BYSTATUT-1"))
    await east.orders.GetOrder(asked("BYSTATUT-1", 2))
    of_both = 'id >= "BYSTATUS-1" AND id <= "BYSTATUT-1"'

    async def listed(filter: str, direction: order_pb2.Direction.ValueType) -> list[str]:
        request = order_service_pb2.ListOrdersRequest(
            direction=direction, filter=f"{of_both} AND {filter}", order_by="supplier_status desc, id"
        )
        return [order.id for order in (await market.people.sam.orders.ListOrders(request)).orders]

    assert await listed("supplier_status = ACCEPTED", OUTGOING) == ["BYSTATUT-1"]
    assert await listed("(supplier_status = ACCEPTED OR supplier_status = OPEN)", OUTGOING) == ["BYSTATUS-1", "BYSTATUT-1"]
    assert await listed('sub_status = "ACCEPTED"', OUTGOING) == []


def asked(id: str, version: int) -> order_service_pb2.GetOrderRequest:
    """A supplier order at a version."""
    return order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_INCOMING, min_version=version)


async def test_a_version_that_does_not_come_is_said_and_no_older_one_is_sent(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 1}, id="UNSENT")

    async def waits(id: str) -> None:
        with pytest.raises(WaybillError) as refused:
            await shared_market.people.clerks["wh-east"].orders.GetOrder(asked(id, 99), timeout=4.0)
        assert (refused.value.code.name, refused.value.reason) == ("ABORTED", "VERSION_NOT_REPORTED")
        assert refused.value.metadata == {"order": id, "version": "99"}
        assert refused.value.retry_after_seconds

    await asyncio.gather(waits("UNSENT-1"), waits("UNSENT-2"))


async def test_reads_that_wait_for_a_version_hold_no_places(idle_market: Marketplace) -> None:
    clerk, load = idle_market.people.clerks["wh-east"], idle_market.host.server.load

    async def waits() -> str:
        with pytest.raises(WaybillError) as refused:
            await clerk.orders.GetOrder(asked("NEVER-1", 9), timeout=6.0)
        return refused.value.reason

    reads: list[asyncio.Task[str]] = []
    async with asyncio.timeout(30):
        # More in the end than one user can have of the places at the same time.
        for count in (30, 60, 90):
            reads += [asyncio.create_task(waits()) for _ in range(30)]
            while load.waits.running < count:
                await asyncio.sleep(0.01)
    assert await clerk.orders.ListOrders(order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_INCOMING, page_size=1))
    assert await asyncio.gather(*reads) == ["VERSION_NOT_REPORTED"] * 90
    assert (load.waits.running, load.calls.running) == (0, 0)


async def test_reads_that_wait_are_looked_for_by_one_statement_and_all_answered_when_it_comes(
    idle_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await idle_market.people.ada.place_order({"tape": 1}, id="AWAITED")
    clerk, load = idle_market.people.clerks["wh-east"], idle_market.host.server.load
    look, looks, most = OrderVersions.read, list[tuple[int, int]](), 90

    async def counted(versions: OrderVersions, ids: Collection[str]) -> Mapping[str, Standing]:
        # One that began before the last read came is of fewer: it is counted where it began.
        counts = looks
        with counting() as sent:
            found = await look(versions, ids)
        counts.append((len(ids), sent.statements))
        return found

    monkeypatch.setattr(OrderVersions, "read", counted)
    find, finds = SqlOrderStore.find_supplier_order, 0

    async def found(*given: Any) -> Any:
        nonlocal finds
        finds += 1
        return await find(*given)

    monkeypatch.setattr(SqlOrderStore, "find_supplier_order", found)
    reads: list[asyncio.Task[order_service_pb2.GetOrderResponse]] = []
    async with asyncio.timeout(30):
        for count in range(30, most + 1, 30):
            ids = ["AWAITED-1"] * 20 + [f"NEVER-{count}-{n}" for n in range(10)]
            reads += [asyncio.create_task(clerk.orders.GetOrder(asked(id, 2), timeout=9.0)) for id in ids]
            while load.waits.running < count:
                await asyncio.sleep(0.01)
        looks = []
        while len(looks) < 3:
            await asyncio.sleep(0.01)
        # All that wait are looked for at once, by one statement, and none of them looks for itself.
        assert set(looks) == {(31, 1)}
        assert finds == most
        await clerk.supplier_orders.AcceptSupplierOrder(pb.AcceptSupplierOrderRequest(supplier_order_id="AWAITED-1"))
        answers = await asyncio.gather(*reads, return_exceptions=True)
    came = [answer for answer in answers if isinstance(answer, order_service_pb2.GetOrderResponse)]
    assert {answer.order.source_version for answer in came} == {2}
    refused = [answer.reason for answer in answers if isinstance(answer, WaybillError)]
    assert (len(came), refused) == (60, ["VERSION_NOT_REPORTED"] * 30)
    assert finds == most + 60


async def test_who_may_not_see_what_is_waited_for_waits_as_for_what_there_is_not(idle_market: Marketplace) -> None:
    await idle_market.people.ada.place_order({"tape": 1}, id="HIDDEN")
    with pytest.raises(WaybillError) as refused:
        await idle_market.people.clerks["wh-west"].orders.GetOrder(asked("HIDDEN-1", 1), timeout=3.0)
    assert refused.value.reason == "VERSION_NOT_REPORTED"


async def test_a_supplier_order_that_is_not_reported_yet_is_waited_for(
    idle_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await idle_market.people.ada.place_order({"tape": 1}, id="NOT-YET")
    find, looks = SqlOrderStore.find_supplier_order, 0

    async def later(*given: Any) -> Any:
        nonlocal looks
        looks += 1
        return None if looks < 2 else await find(*given)

    monkeypatch.setattr(SqlOrderStore, "find_supplier_order", later)
    answer = await idle_market.people.clerks["wh-east"].orders.GetOrder(asked("NOT-YET-1", 1))
    assert (answer.order.id, looks) == ("NOT-YET-1", 2)
    looks = 0
    with pytest.raises(WaybillError) as refused:
        await idle_market.people.clerks["wh-east"].orders.GetOrder(asked("NOT-YET-1", 0))
    assert (refused.value.reason, looks) == ("RESOURCE_NOT_FOUND", 1)


async def test_the_lines_of_a_supplier_order_have_a_total(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 3}, id="SUM")
    ask = order_service_pb2.GetOrderRequest(order_id="SUM-1", direction=ALL, include_line_items=True)
    (theirs,) = (await shared_market.people.clerks["wh-east"].orders.GetOrder(ask)).line_items
    ask = order_service_pb2.GetOrderRequest(order_id="SUM", direction=ALL, include_line_items=True)
    (ours,) = (await shared_market.people.ada.orders.GetOrder(ask)).line_items
    assert theirs.total == ours.total
    assert ours.total.units > 0
