"""Lists whose items are large: a page ends before it is too large, and the next one goes on."""

from __future__ import annotations

import pytest

from services.fulfillment.adapters.db import answer_limits
from tests.integration.fulfillment.world import World, line, new_key
from tests.support.principals import seller
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as order_pb
from waybill.fulfillment.v1 import shipment_service_pb2 as shp_svc
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc
from waybill.fulfillment.v1.order_fulfillment_service_pb2_grpc import OrderFulfillmentServiceStub


async def placed_and_shipped(world: World, *numbers: int) -> list[str]:
    """An order of so many lines for each number, all of them shipped together; their keys."""
    await world.stock(("a", "drill", "", 99))
    keys = []
    for n, number in enumerate(numbers):
        lines = [line(f"l{i}") for i in range(number)]
        keys.append((await world.placed(f"PO{n}", *lines))[0])
        await world.ship(id=f"s{n}", items=[(f"PO{n}-1", x.line_item_id, 1) for x in lines])
    return keys


async def pages(call, request, items: str) -> tuple[list[list[str]], set[int]]:
    """Ids by page, until there is none, and how many statements each page cost."""
    found, counts, token = [], set(), ""
    while True:
        before = call.served.statements
        page = await call.method(request(page_size=10, order_by="id", page_token=token))
        counts.add(call.served.statements - before)
        found.append([x.id for x in getattr(page, items)])
        token = page.next_page_token
        if not token:
            return found, counts


class Call:
    """A list's method and the server that counts."""

    def __init__(self, world: World, method) -> None:
        self.served, self.method = world.served, method


async def test_a_page_ends_before_it_holds_too_many_lines(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_limits, "PAGE_LINES", 5)
    await placed_and_shipped(world, 2, 3, 1, 7, 1, 1)
    listed = Call(world, world.supplier_orders().ListSupplierOrders)
    found, counts = await pages(listed, svc.ListSupplierOrdersRequest, "supplier_orders")
    assert found == [["PO0-1", "PO1-1"], ["PO2-1"], ["PO3-1"], ["PO4-1", "PO5-1"]]
    # Headers, their sizes, allocations, lines.
    assert counts == {4}
    sent = Call(world, world.shipments().ListShipments)
    found, counts = await pages(sent, shp_svc.ListShipmentsRequest, "shipments")
    assert found == [["s0", "s1"], ["s2"], ["s3"], ["s4", "s5"]]
    assert counts == {3}


async def test_a_short_page_is_still_bounded_by_its_size(world: World) -> None:
    await placed_and_shipped(world, 1, 1, 1)
    page = await world.supplier_orders().ListSupplierOrders(svc.ListSupplierOrdersRequest(page_size=2, order_by="id"))
    assert [o.id for o in page.supplier_orders] == ["PO0-1", "PO1-1"]
    assert page.next_page_token


async def test_supplier_orders_are_counted_by_status_in_one_statement(world: World) -> None:
    await placed_and_shipped(world, 1, 1)
    await world.placed("PO9", line("l0"))
    before = world.served.statements
    answer = await world.supplier_orders().CountSupplierOrders(svc.CountSupplierOrdersRequest())
    assert world.served.statements - before == 1
    counts = {
        supplier_order_pb2.SupplierOrderStatus.Name(c.status).removeprefix("SUPPLIER_ORDER_STATUS_"): c.count
        for c in answer.counts
    }
    assert counts == {"OPEN": 1, "ACCEPTED": 0, "COMPLETED": 2, "REJECTED": 0, "FROZEN": 0, "CANCELED": 0}
    some = await world.supplier_orders().CountSupplierOrders(
        svc.CountSupplierOrdersRequest(filter='order_id = "PO*" AND id = "*0-1"')
    )
    assert sum(c.count for c in some.counts) == 1


async def test_a_total_is_one_statement_more_however_many_there_are(world: World) -> None:
    await placed_and_shipped(world, 1, 1, 1)
    costs = {}
    for total in (False, True):
        before = world.served.statements
        page = await world.supplier_orders().ListSupplierOrders(
            svc.ListSupplierOrdersRequest(page_size=1, skip=1, order_by="id", include_total=total)
        )
        costs[total] = world.served.statements - before
        assert [o.id for o in page.supplier_orders] == ["PO1-1"]
        assert (page.HasField("total_size"), page.total_size) == (total, 3 if total else 0)
    assert costs[True] == costs[False] + 1


async def test_what_does_not_fit_into_a_batch_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_limits, "ANSWER_LINES", 8)
    keys = await placed_and_shipped(world, 2, 2, 2, 9)
    stub = world.served.service_stub(OrderFulfillmentServiceStub, "order", seller())
    left, read, asked = [*keys, new_key()], [], 0
    while left:
        before = world.served.statements
        answer = await stub.BatchGetOrderFulfillment(order_pb.BatchGetOrderFulfillmentRequest(order_keys=left))
        # Two sizes, supplier orders three, shipments two; nothing but headers where there is no order.
        assert world.served.statements - before in (7, 4)
        assert {i.order_key for s in answer.shipments for i in s.items} == {o.order_key for o in answer.supplier_orders}
        read += [o.order_key for o in answer.supplier_orders]
        left, asked = list(answer.left_order_keys), asked + 1
    assert sorted(read) == sorted(keys)
    assert 2 <= asked <= 4


@pytest.mark.parametrize(
    ("found", "limit", "expected"),
    [([], 5, 0), ([9], 5, 1), ([9, 1], 5, 1), ([2, 3], 5, 2), ([2, 3, 1], 5, 2), ([0, 0, 6], 5, 2)],
)
def test_as_many_fit_as_stay_within_the_limit_and_one_at_least(found: list[int], limit: int, expected: int) -> None:
    assert answer_limits.fitting(found, limit) == expected
