"""Supplier orders: forward, accept, reject, freeze, cancel, report, see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.protobuf.struct_pb2 import Struct

from libs.errors import WaybillError
from libs.protoconv import time_out
from services import roles
from tests.integration.fulfillment.world import START, World, accept, cents, line, new_key, order, reject, status
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as order_pb
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import supplier_order_pb2 as so
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc
from waybill.fulfillment.v1.order_fulfillment_service_pb2_grpc import OrderFulfillmentServiceStub

TOTAL = 1_001 * 5 + 70 + 999


async def all_of(world: World, key: str) -> list:
    stub = world.served.service_stub(OrderFulfillmentServiceStub, "order")
    answer = await stub.BatchGetOrderFulfillment(order_pb.BatchGetOrderFulfillmentRequest(order_keys=[key]))
    return list(answer.supplier_orders)


async def test_an_unforwarded_order_is_the_sellers_and_can_be_forwarded_later(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 2), ("b", "drill", "nut", 9))
    want = line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"])
    key, (implicit,) = await world.placed("PO1", want, forward=False)
    assert (implicit.implicit, implicit.supplier_id, cents(implicit.total)) == (True, "", TOTAL)
    answer = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    gone, *made = answer.supplier_orders
    assert (status(gone), gone.moved, cents(gone.total)) == ("CANCELED", True, 0)
    assert [(o.id, o.supplier_id, cents(o.subtotal)) for o in made] == [("PO1-2", "bolt", 2_002), ("PO1-3", "nut", 3_003)]
    assert sum(cents(o.total) for o in made) == TOTAL
    again = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    assert list(again.supplier_orders) == list(answer.supplier_orders)
    assert await world.counters("b") == (9, 0, 3, 6)


async def test_lines_that_are_kept_back_are_forwarded_later_and_no_line_that_was_forwarded_before(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "saw", "bolt", 9))
    lines = [line(f"l{n}", 1, product, default_supplier_id="bolt") for n, product in ((1, "drill"), (2, "saw"))]
    key = new_key()
    await world.reserve(key, *lines)
    implicit, sent = await world.confirm(key, "PO1", *lines, kept=["l2"], within=timedelta(hours=1))
    assert [(o.id, o.supplier_id, o.implicit) for o in (implicit, sent)] == [("PO1-1", "", True), ("PO1-2", "bolt", False)]
    assert [[x.line_item_id for x in o.line_items] for o in (implicit, sent)] == [["l2"], ["l1"]]
    assert [o.HasField("accept_by") for o in (implicit, sent)] == [False, True]
    assert await world.confirm(key, "PO1", *lines, kept=["l2"]) == [implicit, sent]
    answer = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    gone, same, made = answer.supplier_orders
    assert (same, gone.moved, status(gone)) == (sent, True, "CANCELED")
    assert (made.id, made.supplier_id, [x.line_item_id for x in made.line_items]) == ("PO1-3", "bolt", ["l2"])
    assert made.HasField("accept_by")
    again = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    assert list(again.supplier_orders) == list(answer.supplier_orders)


async def test_what_the_buyer_says_of_a_line_goes_with_its_units_to_whoever_ships_them(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 2), ("b", "drill", "nut", 9))
    want = line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"])
    key = new_key()
    await world.reserve(key, want)
    snapshot = order(key, "PO1", want)
    said = {"shipping_account": "SWIFT-1", "comments": "by the back door"}
    snapshot.lines[0].MergeFrom(res.OrderSnapshotLine(cost_center="CC-7", date_needed=time_out(START), **said))
    await world.reservations().ConfirmReservation(res.ConfirmReservationRequest(order_key=key, attempt=1, order=snapshot))
    answer = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    await reject(world, "PO1-2", supplier(roles.ORDER_ADMIN))
    reported = {o.id: o.line_items[0] for o in (*answer.supplier_orders, await world.supplier_order("PO1-3"))}
    for id in ("PO1-1", "PO1-2", "PO1-3"):
        assert {name: getattr(reported[id], name) for name in said} == said
        assert (reported[id].cost_center, reported[id].date_needed) == ("CC-7", time_out(START))
    (shown,) = (await world.supplier_order("PO1-3", supplier(party="nut"))).line_items
    assert {name: getattr(shown, name) for name in said} == said
    assert (shown.quantity, shown.date_needed, shown.cost_center) == (5, time_out(START), "")


async def test_a_forward_before_the_confirm_is_not_found(world: World) -> None:
    with pytest.raises(WaybillError) as refused:
        await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=new_key()))
    assert refused.value.reason == "RESOURCE_NOT_FOUND"


async def test_a_supplier_sees_and_accepts_its_own_only(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "nut", 9))
    await world.placed("PO1", line("l1", default_supplier_id="bolt"), line("l2", 1, "bit", default_supplier_id="nut"))
    bolt, nut = supplier(), supplier(party="nut")
    assert [(await world.supplier_order("PO1-1", c)).id for c in (bolt, seller())] == ["PO1-1", "PO1-1"]
    for caller, reason in ((nut, "RESOURCE_NOT_FOUND"), (buyer(roles.ORDER_ADMIN), "PARTY_NOT_ADMITTED")):
        with pytest.raises(WaybillError) as refused:
            await accept(world, "PO1-1", caller)
        assert refused.value.reason == reason
    listed = {}
    for c in (bolt, nut, seller()):
        answer = await world.supplier_orders(c).ListSupplierOrders(svc.ListSupplierOrdersRequest())
        listed[c.party_id] = [o.id for o in answer.supplier_orders]
    assert {k: sorted(v) for k, v in listed.items()} == {"bolt": ["PO1-1"], "nut": ["PO1-2"], "seller": ["PO1-1", "PO1-2"]}
    accepted = await accept(world, "PO1-1", bolt)
    assert (status(accepted), accepted.version) == ("ACCEPTED", 2)
    assert (await accept(world, "PO1-1", bolt)).version == 2
    with pytest.raises(WaybillError) as denied:
        await accept(world, "PO1-1", supplier(roles.ORDER_READER))
    assert denied.value.metadata == {"role": "OrderAdmin"}
    assert status(await reject(world, "PO1-1", bolt)) == "REJECTED"
    with pytest.raises(WaybillError) as conflict:
        await reject(world, "PO1-1", bolt)
    assert conflict.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"


async def test_the_order_service_hears_at_once_or_from_the_relay(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line())
    assert await world.background.reporting.relay_once() == 0
    world.clock.advance(timedelta(seconds=3))
    assert await world.background.reporting.relay_once() == 1
    await accept(world, "PO1-1")
    (heard,) = world.orders.orders.values()
    assert status(heard) == "ACCEPTED"
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.reporting.relay_once() == 0
    world.orders.down = True
    await world.ship(items=[("PO1-1", "l1", 1)])
    world.orders.down = False
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.reporting.relay_once() == 2
    (heard,) = world.orders.orders.values()
    assert (status(heard), len(world.orders.shipments)) == ("COMPLETED", 1)
    world.clock.advance(timedelta(hours=1))
    assert await world.background.reporting.relay_once() == 0


async def test_what_the_order_service_does_not_know_yet_is_reported_again(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line())
    world.orders.unknown = {key}
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.reporting.relay_once() == 1
    world.orders.unknown = set()
    assert await world.background.reporting.relay_once() == 0
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.reporting.relay_once() == 1


async def test_rejected_units_are_sourced_again_by_the_stages_that_the_order_was_sourced_by(world: World) -> None:
    """By a strategy they would go to nut, as far as it has some, and to gear."""
    await world.stock(("a", "drill", "bolt", 4), ("b", "drill", "nut", 2), ("c", "drill", "gear", 9))
    want = line("l1", 4, default_supplier_id="bolt", supplier_ids=["nut", "gear"])
    key = new_key()
    await world.reserve(key, want, stages=["fewest_parcels"])
    await world.confirm(key, "PO1", want)
    await reject(world, "PO1-1", supplier())
    answer = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    assert [(o.supplier_id, status(o)) for o in answer.supplier_orders] == [("bolt", "REJECTED"), ("gear", "OPEN")]


async def test_rejected_units_are_sourced_again_and_the_rest_is_the_sellers(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 3))
    want = line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"])
    key, _ = await world.placed("PO1", want)
    gone = await reject(world, "PO1-1", supplier())
    assert (status(gone), gone.reject_comment, gone.moved) == ("REJECTED", "no drills", True)
    _, nut, mine = await all_of(world, key)
    assert [(o.id, o.supplier_id, status(o), o.line_items[0].quantity) for o in (nut, mine)] == [
        ("PO1-2", "nut", "OPEN", 3),
        ("PO1-3", "", "OPEN", 2),
    ]
    assert mine.line_items[0].quantity_unallocated == 2
    assert cents(nut.total) + cents(mine.total) == TOTAL
    assert await world.counters("a") == (9, 0, 0, 9)
    assert await world.counters("b") == (3, 0, 3, 0)
    assert len(world.orders.orders) == 3
    # The second supplier says no as well: it joins what the seller has already.
    await reject(world, "PO1-2", supplier(party="nut"))
    *_, mine = await all_of(world, key)
    assert (mine.line_items[0].quantity, cents(mine.total)) == (5, TOTAL)
    # The seller gets the units elsewhere and ships them without stock.
    await world.ship(items=[("PO1-3", "l1", 5)])
    assert status(await world.supplier_order("PO1-3")) == "COMPLETED"


async def test_marks_of_the_buyer_reach_the_seller_and_those_of_a_supplier_nobody_else(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 9))
    want = line(default_supplier_id="bolt", supplier_ids=["nut"])
    for order_id, forward in (("PO1", True), ("PO2", False)):
        key, (made,) = await world.placed(order_id, want, forward=forward, xp=xp(gift=True))
        begun = {} if forward else {"gift": True}
        assert dict(made.xp) == begun
        mark = so.SupplierOrder(id=made.id, xp=xp(margin="40 %"))
        await world.supplier_orders().UpdateSupplierOrder(svc.UpdateSupplierOrderRequest(supplier_order=mark))
        if forward:
            await reject(world, made.id, supplier())
        else:
            await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
        first, second = await all_of(world, key)
        assert dict(first.xp) == {**begun, "margin": "40 %"}
        assert dict(second.xp) == {}
        if forward:
            await reject(world, second.id, supplier(party="nut"))
            *_, sellers = await all_of(world, key)
            assert (sellers.supplier_id, dict(sellers.xp)) == ("", {"gift": True})


async def test_a_freeze_stops_shipping_until_it_is_taken_back(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=2))
    await accept(world, "PO1-1")
    for _ in range(2):
        (frozen,) = (await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))).supplier_orders
        assert (status(frozen), frozen.version) == ("FROZEN", 3)
    with pytest.raises(WaybillError) as refused:
        await world.ship(items=[("PO1-1", "l1", 1)])
    assert refused.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    (thawed,) = (await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=key))).supplier_orders
    assert status(thawed) == "ACCEPTED"
    await world.ship(items=[("PO1-1", "l1", 1)])
    with pytest.raises(WaybillError) as late:
        await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    assert late.value.reason == "ORDER_ALREADY_SHIPPED"


async def test_a_cancel_returns_stock_and_refuses_packed_shipments(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=2))
    assert await world.counters("a") == (9, 0, 2, 7)
    packed = await world.ship(items=[("PO1-1", "l1", 1)], at=None)
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    for _ in range(2):
        (gone,) = (await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))).supplier_orders
        assert [(x.quantity, x.quantity_shipped, x.quantity_canceled) for x in gone.line_items] == [(2, 0, 2)]
        assert (status(gone), gone.version) == ("CANCELED", 4)
    assert await world.counters("a") == (9, 0, 0, 9)
    with pytest.raises(WaybillError) as refused:
        await world.send(packed.id)
    assert refused.value.reason == "SHIPMENT_VOID"
    forwarded = await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    assert list(forwarded.supplier_orders) == [gone]


async def test_a_cancel_that_overtakes_the_confirm_decides_over_it(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    frozen, canceled = new_key(), new_key()
    for key in (frozen, canceled):
        await world.reserve(key, line(quantity=2))
        answer = await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
        assert list(answer.supplier_orders) == []
    for _ in range(2):
        await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=canceled))
    (held,) = await world.confirm(frozen, "PO1", line(quantity=2))
    (gone,) = await world.confirm(canceled, "PO2", line(quantity=2))
    assert (status(held), status(gone)) == ("FROZEN", "CANCELED")
    assert await world.counters("a") == (9, 0, 2, 7)
    (thawed,) = (await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=frozen))).supplier_orders
    assert status(thawed) == "OPEN"


async def test_a_cancel_of_an_order_that_never_came_is_nothing(world: World) -> None:
    for _ in range(2):
        answer = await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=new_key()))
        assert list(answer.supplier_orders) == []


def xp(**values) -> Struct:
    made = Struct()
    made.update(values)
    return made


async def test_marks_are_merged_filtered_and_guarded_by_etag(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    for n in range(3):
        await world.placed(f"PO{n}", line(default_supplier_id="bolt"))
    stub = world.supplier_orders(supplier())
    for mark in (xp(system={"id": "77"}), xp(downloaded=True)):
        request = svc.UpdateSupplierOrderRequest(supplier_order=so.SupplierOrder(id="PO1-1", xp=mark))
        updated = (await stub.UpdateSupplierOrder(request)).supplier_order
    assert (updated.xp["downloaded"], updated.xp["system"]["id"], updated.etag) == (True, "77", "3")
    with pytest.raises(WaybillError) as stale:
        await stub.UpdateSupplierOrder(
            svc.UpdateSupplierOrderRequest(supplier_order=so.SupplierOrder(id="PO1-1", etag="1", xp=xp(a=1)))
        )
    assert stale.value.reason == "ETAG_MISMATCH"
    fresh = await stub.ListSupplierOrders(
        svc.ListSupplierOrdersRequest(filter="NOT xp.downloaded = true AND status = OPEN", order_by="id", page_size=1)
    )
    assert [o.id for o in fresh.supplier_orders] == ["PO0-1"]
    rest = await stub.ListSupplierOrders(
        svc.ListSupplierOrdersRequest(
            filter="NOT xp.downloaded = true AND status = OPEN", order_by="id", page_size=1, page_token=fresh.next_page_token
        )
    )
    assert [o.id for o in rest.supplier_orders] == ["PO2-1"]


async def test_the_same_request_is_answered_once(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    await world.placed("PO1", line(default_supplier_id="bolt"))
    for _ in range(2):
        assert (await accept(world, "PO1-1", supplier(), request_id="r1")).version == 2
    with pytest.raises(WaybillError) as reused:
        await accept(world, "PO9-1", supplier(), request_id="r1")
    assert reused.value.reason == "REQUEST_ID_REUSED"


async def test_facts_state_units_and_totals_of_every_order(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 2), ("b", "drill", "nut", 9))
    key, _ = await world.placed("PO1", line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"]))
    await world.ship(items=[("PO1-2", "l1", 1)])
    await world.check()
    facts = {(f.kind, f.values.get("id", "")): f for f in world.facts}
    assert facts[("units", "")].order_key == key
    assert dict(facts[("units", "")].values) == {"l1": "5/1/0"}
    assert facts[("supplier_order", "PO1-2")].values["status"] == "ACCEPTED"
