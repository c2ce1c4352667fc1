"""Units sold beyond the stock, up to a limit, and what is known of when they come."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import WaybillError
from libs.protoconv import time_out
from tests.integration.fulfillment.test_inventory import adjust, create, record
from tests.integration.fulfillment.world import START, World, line, new_key
from tests.support.principals import buyer, seller
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import reservation_service_pb2 as res

MAY = time_out(START + timedelta(days=9))


async def edit(world: World, *paths: str, **values) -> inv.InventoryRecord:
    request = svc.UpdateInventoryRecordRequest(
        inventory_record=inv.InventoryRecord(id="a", **values), update_mask=FieldMask(paths=paths or list(values))
    )
    return (await world.inventory().UpdateInventoryRecord(request)).inventory_record


async def availability(world: World) -> svc.ProductAvailability:
    answer = await world.inventory(buyer()).CheckAvailability(svc.CheckAvailabilityRequest(product_ids=["drill"]))
    return answer.products[0]


async def test_many_buyers_at_once_get_the_stock_and_the_limit_and_no_unit_more(world: World) -> None:
    await create(world, seller(), record(id="a", can_exceed=True, backorder_limit=7, expected_time=MAY), opening=5)
    keys = [new_key() for _ in range(30)]
    answers = await asyncio.gather(*[world.reserve(key, line()) for key in keys])
    assert sum(a.state == res.RESERVATION_STATE_RESERVED for a in answers) == 12
    assert await world.counters("a") == (5, 12, 0, -7)
    seen = await availability(world)
    assert (seen.available, seen.can_exceed, seen.backorderable, seen.HasField("expected_time")) == (0, False, 0, False)


async def test_a_buyer_sees_what_is_there_what_can_be_backordered_and_when_it_comes(world: World) -> None:
    await create(world, seller(), record(id="a", can_exceed=True, backorder_limit=7, expected_time=MAY), opening=5)
    (planned,) = (await world.reservations().PlanSourcing(res.PlanSourcingRequest(lines=[line(quantity=8)]))).assignments
    assert (planned.quantity_backordered, planned.expected_time) == (3, MAY)
    await world.placed("PO1", line(quantity=8))
    seen = await availability(world)
    assert (seen.available, seen.can_exceed, seen.backorderable, seen.expected_time) == (0, True, 4, MAY)
    later = time_out(START + timedelta(days=30))
    await edit(world, expected_time=later)
    assert (await availability(world)).expected_time == later
    assert not (await edit(world, "expected_time")).HasField("expected_time")


async def test_backordered_units_leave_when_they_have_come_in(world: World) -> None:
    await create(world, seller(), record(id="a", can_exceed=True, backorder_limit=7), opening=2)
    await world.placed("PO1", line(quantity=5))
    with pytest.raises(WaybillError) as short:
        await world.ship(items=[("PO1-1", "l1", 5)])
    assert short.value.reason == "STOCK_SHORTAGE"
    await world.ship(items=[("PO1-1", "l1", 2)])
    await world.inventory().AdjustStock(adjust("a", change=3))
    await world.ship(items=[("PO1-1", "l1", 3)])
    assert await world.counters("a") == (0, 0, 0, 0)


async def test_a_limit_is_not_brought_below_what_is_sold(world: World) -> None:
    await create(world, seller(), record(id="a", can_exceed=True), opening=2)
    await world.placed("PO1", line(quantity=5))
    for values in ({"backorder_limit": 2}, {"can_exceed": False}):
        with pytest.raises(WaybillError) as refused:
            await edit(world, **values)
        assert refused.value.reason == "STOCK_SHORTAGE"
    assert (await edit(world, backorder_limit=3)).backorder_limit == 3
    await world.inventory().AdjustStock(adjust("a", change=-1))
    assert (await edit(world, backorder_limit=4)).available == -4


async def test_limits_and_times_that_cannot_be_are_refused(world: World) -> None:
    for limit in (-1, 1_000_000_001, 10**12):
        with pytest.raises(WaybillError) as refused:
            await create(world, seller(), record(can_exceed=True, backorder_limit=limit))
        assert [(f.field, f.reason) for f in refused.value.fields] == [("inventory_record.backorder_limit", "VALUE_OUT_OF_RANGE")]
    with pytest.raises(WaybillError) as passed:
        await create(world, seller(), record(expected_time=time_out(START), location_id="nowhere"))
    assert [(f.field, f.reason) for f in passed.value.fields] == [
        ("inventory_record.expected_time", "VALUE_OUT_OF_RANGE"),
        ("inventory_record.location_id", "LOCATION_NOT_FOUND"),
    ]
    await create(world, seller(), record(id="a", expected_time=MAY))
    world.clock.advance(timedelta(days=10))
    with pytest.raises(WaybillError) as past:
        await edit(world, expected_time=time_out(START + timedelta(days=8)))
    assert [f.field for f in past.value.fields] == ["inventory_record.expected_time"]
    assert (await edit(world, "expected_time", "priority", priority=3, expected_time=MAY)).priority == 3
