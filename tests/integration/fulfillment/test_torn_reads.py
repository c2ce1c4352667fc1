"""A supplier order read while it changes: its version and its units are of one moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.fulfillment.adapters.db.supplier_orders.order_store import SqlSupplierOrderStore
from tests.integration.fulfillment.world import World, line
from tests.support.principals import seller
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as order_pb
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc
from waybill.fulfillment.v1.order_fulfillment_service_pb2_grpc import OrderFulfillmentServiceStub


async def ship_between(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """An order; the next time its header is read, it is shipped before its lines are. Its key."""
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=2))
    whole, waiting = SqlSupplierOrderStore.with_lines, [True]

    async def between(self: SqlSupplierOrderStore, headers: Any) -> Any:
        if waiting:
            waiting.clear()
            world.orders.down = True
            await world.ship(items=[("PO1-1", "l1", 2)])
            world.orders.down = False
        return await whole(self, headers)

    monkeypatch.setattr(SqlSupplierOrderStore, "with_lines", between)
    return key


def seen(o: Any) -> tuple[int, int]:
    return o.version, o.line_items[0].quantity_shipped


async def test_a_report_never_claims_a_version_with_the_units_of_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ship_between(world, monkeypatch)
    for expected in ((1, 0), (2, 2)):
        world.clock.advance(timedelta(minutes=1))
        await world.background.reporting.relay_once()
        assert [seen(o) for o in world.orders.orders.values()] == [expected]


async def get(world: World, key: str) -> Any:
    return await world.supplier_order("PO1-1")


async def listed(world: World, key: str) -> Any:
    answer = await world.supplier_orders().ListSupplierOrders(svc.ListSupplierOrdersRequest())
    return answer.supplier_orders[0]


async def batch(world: World, key: str) -> Any:
    stub = world.served.service_stub(OrderFulfillmentServiceStub, "order", seller())
    answer = await stub.BatchGetOrderFulfillment(order_pb.BatchGetOrderFulfillmentRequest(order_keys=[key]))
    # Nor does the shipment of the next moment come along.
    assert len(answer.shipments) == (answer.supplier_orders[0].version == 2)
    return answer.supplier_orders[0]


@pytest.mark.parametrize("read", [get, listed, batch])
async def test_a_read_is_of_one_moment(
    world: World, monkeypatch: pytest.MonkeyPatch, read: Callable[[World, str], Awaitable[Any]]
) -> None:
    key = await ship_between(world, monkeypatch)
    assert seen(await read(world, key)) == (1, 0)
    assert seen(await read(world, key)) == (2, 2)
