"""Units that need no shipment: delivered when they are there, and never taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.errors import WaybillError
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from tests.integration.fulfillment.world import World, accept, line, reject, status
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as inv_service
from waybill.fulfillment.v1 import reservation_service_pb2 as res

KEYS = line("l2", 3, "key", shippable=False, default_supplier_id="bolt")


async def count(world: World, units: int) -> None:
    """The stock of keys is counted."""
    found = inv_service.StockAdjustment(inventory_record_id="k", kind=inv.STOCK_MOVEMENT_KIND_ADJUST, count=units)
    await world.inventory().AdjustStock(inv_service.AdjustStockRequest(adjustments=[found]))


async def test_delivered_units_are_not_canceled_and_do_not_come_back(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("k", "key", "bolt", 5))
    key, (made,) = await world.placed("PO1", line("l1", 2, default_supplier_id="bolt"), KEYS)
    assert (status(made), [x.quantity_shipped for x in made.line_items]) == ("OPEN", [0, 3])
    with pytest.raises(WaybillError) as refused:
        await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    assert refused.value.reason == "ORDER_ALREADY_SHIPPED"
    await accept(world, "PO1-1")
    rest = await reject(world, "PO1-1")
    assert (status(rest), rest.moved, [x.quantity for x in rest.line_items]) == ("COMPLETED", False, [0, 3])
    assert (await world.supplier_order("PO1-2")).line_items[0].quantity_unallocated == 2
    assert await world.counters("k") == (2, 0, 0, 2)
    assert await world.counters("a") == (9, 0, 0, 9)


async def test_a_shortage_at_the_confirm_stays_open_until_stock_comes(world: World) -> None:
    await world.stock(("k", "key", "bolt", 5))
    key = "0f0e0d0c-0000-4000-8000-000000000001"
    await world.reserve(key, KEYS)
    await count(world, 1)
    (made,) = await world.confirm(key, "PO1", KEYS)
    assert (status(made), made.line_items[0].quantity_shipped) == ("OPEN", 1)
    assert await world.counters("k") == (0, 0, 2, -2)
    await world.check()
    assert await world.background.deliveries.once() == 0
    await count(world, 7)
    assert await world.background.deliveries.once() == 1
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"
    assert await world.counters("k") == (5, 0, 0, 5)
    assert world.orders.orders[made.key].line_items[0].quantity_shipped == 3


async def test_nothing_is_delivered_while_a_cancel_is_being_decided(world: World) -> None:
    await world.stock(("k", "key", "bolt", 5))
    key = "0f0e0d0c-0000-4000-8000-000000000002"
    await world.reserve(key, KEYS)
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    (made,) = await world.confirm(key, "PO1", KEYS)
    assert (status(made), made.line_items[0].quantity_shipped) == ("FROZEN", 0)
    assert await world.background.deliveries.once() == 0
    await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=key))
    assert await world.background.deliveries.once() == 1
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"


async def test_an_order_that_cannot_be_delivered_keeps_no_other_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.stock(("k", "key", "bolt", 6))
    keys = [f"0f0e0d0c-0000-4000-8000-00000000000{n}" for n in (3, 4)]
    for key in keys:
        await world.reserve(key, KEYS)
    await count(world, 0)
    for key, id in zip(keys, ("PO1", "PO2"), strict=True):
        await world.confirm(key, id, KEYS)
    await count(world, 6)
    sound: Any = Delivery.of

    def of(delivery: Delivery, orders: list[SupplierOrder]) -> Any:
        if any(o.id == "PO1-1" for o in orders):
            raise RuntimeError("no one knows why")
        return sound(delivery, orders)

    monkeypatch.setattr(Delivery, "of", of)
    assert await world.background.deliveries.once() == 1
    assert [status(await world.supplier_order(id)) for id in ("PO1-1", "PO2-1")] == ["OPEN", "COMPLETED"]
    await world.check()
    stated = [f.values for f in world.facts if f.kind == "delivery"]
    assert stated == [{"id": "PO1-1", "failures": "1", "failure": "RuntimeError"}]
    monkeypatch.undo()
    assert await world.background.deliveries.once() == 0
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.deliveries.once() == 1
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"
    await world.check()
    assert not [f for f in world.facts if f.kind == "delivery"]
