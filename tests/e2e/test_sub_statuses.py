"""Statuses of a marketplace's own, as the seller and the buyer see them."""

from __future__ import annotations

import pytest

from tests.e2e.steps import ship
from tests.support.marketplace import INCOMING, OUTGOING, Marketplace, get
from waybill.audit.v1 import audit_service_pb2 as audit_pb
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as orders_pb
from waybill.order.v1 import order_sub_status_service_pb2 as pb
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SUPPLIER
from waybill_client import AsyncWaybill, WaybillError

OPEN, DONE = order_pb2.ORDER_STATUS_OPEN, order_pb2.ORDER_STATUS_COMPLETED


def own(id: str, status: order_pb2.OrderStatus.ValueType = OPEN, **fields: object) -> pb.OrderSubStatus:
    return pb.OrderSubStatus(id=id, status=status, name=id.title(), **fields)  # type: ignore[arg-type]


async def declare(client: AsyncWaybill, *given: pb.OrderSubStatus) -> None:
    await client.order_sub_statuses.BatchCreateOrderSubStatuses(pb.BatchCreateOrderSubStatusesRequest(order_sub_statuses=given))


async def put(client: AsyncWaybill, id: str, sub_status: str, request_id: str = "", etag: str = "") -> order_pb2.Order:
    request = orders_pb.SetOrderSubStatusRequest(order_id=id, sub_status=sub_status, request_id=request_id, etag=etag)
    return (await client.orders.SetOrderSubStatus(request)).order


async def refused(call: object) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call  # type: ignore[misc]
    return error.value


@pytest.mark.on_sqlite
async def test_an_order_goes_through_sub_statuses_and_leaves_them_with_its_status(market: Marketplace) -> None:
    ada, sam, east = market.people.ada, market.people.sam, market.people.clerks["wh-east"]
    await ada.place_order({"tape": 1}, id="BEFORE")
    await declare(
        sam, own("to-check", initial=True), own("cleared", follows=["to-check"], terminal=True), own("sent", DONE, initial=True)
    )
    await ada.place_order({"tape": 1}, id="OWN")
    seen = await get(ada, "OWN", OUTGOING)
    assert (seen.sub_status, seen.sub_status_time) == ("to-check", seen.submit_time)
    cleared = await put(sam, "OWN", "cleared", request_id="once")
    assert await put(sam, "OWN", "cleared", request_id="once") == cleared
    assert await put(sam, "OWN", "cleared") == cleared
    assert (cleared.sub_status, cleared.sub_status_time) == ("cleared", cleared.update_time)
    assert (await refused(put(sam, "OWN", "to-check"))).reason == "SUB_STATUS_CONFLICT"
    assert (await refused(put(sam, "BEFORE", "cleared"))).reason == "SUB_STATUS_CONFLICT"
    listing = orders_pb.ListOrdersRequest(direction=INCOMING, filter='sub_status = "cleared"', order_by="sub_status_time")
    assert [o.id for o in (await sam.orders.ListOrders(listing)).orders] == ["OWN"]
    used = await refused(
        sam.order_sub_statuses.DeleteOrderSubStatus(pb.DeleteOrderSubStatusRequest(order_sub_status_id="cleared"))
    )
    assert used.reason == "RESOURCE_IN_USE"
    await ship(east, "OWN-1", "l1", 1)
    done = await get(ada, "OWN", OUTGOING)
    assert (done.status, done.sub_status, done.sub_status_time) == (DONE, "sent", done.complete_time)
    await sam.order_sub_statuses.DeleteOrderSubStatus(pb.DeleteOrderSubStatusRequest(order_sub_status_id="cleared"))
    request = orders_pb.ListOrderHistoryRequest(order_id="OWN", direction=INCOMING)
    events = (await sam.orders.ListOrderHistory(request)).events
    entered = [(e.type, e.data["sub_status"], e.data["former_sub_status"]) for e in events if "sub_status" in e.data]
    assert entered == [
        ("order_submitted", "to-check", ""),
        ("order_sub_status_set", "cleared", "to-check"),
        ("order_completed", "sent", "cleared"),
    ]


async def test_a_batch_sets_all_or_none(market: Marketplace) -> None:
    ada, sam = market.people.ada, market.people.sam
    await declare(sam, own("picked"), own("mine", parties=[PARTY_KIND_BUYER]))
    for id in ("B1", "B2"):
        await ada.place_order({"tape": 1}, id=id)

    def batch(client: AsyncWaybill, *pairs: tuple[str, str]) -> object:
        settings = [orders_pb.OrderSubStatusSetting(order_id=id, sub_status=one) for id, one in pairs]
        return client.orders.BatchSetOrderSubStatuses(orders_pb.BatchSetOrderSubStatusesRequest(settings=settings))

    assert (await refused(batch(sam, ("B1", "picked"), ("B2", "no-such")))).reason == "SUB_STATUS_NOT_FOUND"
    assert (await refused(batch(sam, ("B1", "picked"), ("B1", "picked")))).fields[0].field == "settings[1].order_id"
    assert (await refused(batch(sam, ("B1", "picked"), ("NO", "picked")))).reason == "RESOURCE_NOT_FOUND"
    assert (await get(ada, "B1", OUTGOING)).sub_status == ""
    made = await batch(sam, ("B2", "picked"), ("B1", "picked"))  # type: ignore[misc]
    assert [(o.id, o.sub_status) for o in made.orders] == [("B2", "picked"), ("B1", "picked")]
    assert (await refused(put(ada, "B1", "picked"))).reason == "SUB_STATUS_NOT_ALLOWED"
    assert (await refused(put(sam, "B1", "mine"))).reason == "SUB_STATUS_NOT_ALLOWED"
    assert (await refused(put(sam, "B1", "picked", etag="1"))).reason == "ETAG_MISMATCH"
    assert (await put(ada, "B1", "mine")).sub_status == "mine"


async def test_everything_that_is_wrong_with_a_sub_status_is_named_at_once(market: Marketplace) -> None:
    sam = market.people.sam
    await declare(sam, own("first", initial=True))
    wrong = own("x" * 41, initial=True, closed=True, roles=["Shopper", "Boss"], parties=[PARTY_KIND_SUPPLIER])
    error = await refused(sam.order_sub_statuses.CreateOrderSubStatus(pb.CreateOrderSubStatusRequest(order_sub_status=wrong)))
    where = "order_sub_status."
    assert {f.field for f in error.fields} == {where + name for name in ("id", "initial", "closed", "roles[1]", "parties[0]")}
    many = [own(f"s{i}") for i in range(200)]
    error = await refused(declare(sam, *many))
    assert [(f.field, f.reason) for f in error.fields] == [("order_sub_statuses[199]", "TOO_MANY_SUB_STATUSES")]


async def test_a_batch_costs_the_same_number_of_statements_for_any_number_of_orders(market: Marketplace) -> None:
    ada, sam, order = market.people.ada, market.people.sam, market.host.apps["order"]
    await declare(sam, own("one"), own("two"))
    ids = [f"N{i}" for i in range(4)]
    for id in ids:
        await ada.place_order({"tape": 1}, id=id)
    assert order.statements is not None
    spent = []
    for several, sub_status in ((ids[:1], "one"), (ids, "two")):
        settings = [orders_pb.OrderSubStatusSetting(order_id=id, sub_status=sub_status) for id in several]
        before = order.statements()
        await sam.orders.BatchSetOrderSubStatuses(orders_pb.BatchSetOrderSubStatusesRequest(settings=settings))
        spent.append(order.statements() - before)
    assert spent[0] == spent[1]


async def test_what_the_seller_does_to_sub_statuses_is_in_the_log(market: Marketplace) -> None:
    owner = market.people.owner
    await declare(owner, own("noted"))
    renamed = pb.OrderSubStatus(id="noted", name="Noted well")
    await owner.order_sub_statuses.UpdateOrderSubStatus(pb.UpdateOrderSubStatusRequest(order_sub_status=renamed))
    await owner.order_sub_statuses.DeleteOrderSubStatus(pb.DeleteOrderSubStatusRequest(order_sub_status_id="noted"))
    listing = audit_pb.ListAuditEntriesRequest(context="order", filter='resource = "order sub-status"')
    found = (await owner.audit.ListAuditEntries(listing)).entries
    assert sorted((e.action, e.resource_id, list(e.fields)) for e in found) == [
        ("BatchCreateOrderSubStatuses", "noted", []),
        ("DeleteOrderSubStatus", "noted", []),
        ("UpdateOrderSubStatus", "noted", ["name"]),
    ]
