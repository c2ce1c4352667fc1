"""Thresholds of inventory records: each crossing leaves one alert, in the transaction of what crossed it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import WaybillError
from services import roles
from services.fulfillment.adapters.db.tables import changes
from tests.integration.fulfillment.test_inventory import KEEPER, adjust, create, record
from tests.integration.fulfillment.world import World, line, new_key
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import reservation_service_pb2 as res


async def alerts(world: World, caller=None, filter: str = "") -> list[inv.StockAlert]:
    """Oldest first."""
    request = svc.ListStockAlertsRequest(page_size=1_000, filter=filter)
    return list(reversed((await world.inventory(caller).ListStockAlerts(request)).stock_alerts))


def short(found: list[inv.StockAlert]) -> list[tuple[int, str, int]]:
    return [(a.number, inv.StockAlertKind.Name(a.kind).removeprefix("STOCK_ALERT_KIND_"), a.available) for a in found]


async def edit(world: World, below: int | None) -> inv.InventoryRecord:
    request = svc.UpdateInventoryRecordRequest(
        inventory_record=inv.InventoryRecord(id="a", notify_below=below), update_mask=FieldMask(paths=["notify_below"])
    )
    return (await world.inventory().UpdateInventoryRecord(request)).inventory_record


async def test_reserving_receiving_and_releasing_cross_a_threshold_once_each_way(world: World) -> None:
    await create(world, seller(), record(id="a", notify_below=5), opening=7)
    key = new_key()
    await world.reserve(key, line(quantity=2))
    assert short(await alerts(world)) == []
    other = new_key()
    await world.reserve(other, line(quantity=1))
    await world.confirm(other, "PO1", line(quantity=1))
    assert (await world.record("a")).low_stock
    await world.inventory().AdjustStock(adjust("a", change=-1))
    await world.reservations().ReleaseReservation(res.ReleaseReservationRequest(order_key=key, attempt=1))

    assert short(await alerts(world)) == [(1, "BELOW", 4), (2, "RECOVERED", 5)]
    assert not (await world.record("a")).low_stock
    assert world.app.database is not None
    async with world.app.database.reading() as tx:
        rows = await tx.execute(sa.select(changes.changes.c.resource_id).where(changes.changes.c.resource == "stock alert"))
        assert sorted(rows.scalars()) == ["a/1", "a/2"]


async def test_what_begins_below_its_threshold_is_low_and_was_not_crossed(world: World) -> None:
    assert (await create(world, seller(), record(id="a", notify_below=5), opening=3)).low_stock
    assert not (await create(world, seller(), record(id="b"), opening=0)).low_stock
    assert not (await edit(world, 3)).low_stock
    assert (await edit(world, 4)).low_stock
    assert short(await alerts(world)) == []
    await world.inventory().AdjustStock(adjust("a", count=4))
    assert short(await alerts(world)) == [(1, "RECOVERED", 4)]
    cleared = await edit(world, None)
    assert (cleared.HasField("notify_below"), cleared.low_stock) == (False, False)
    await world.inventory().AdjustStock(adjust("a", count=0))
    assert len(await alerts(world)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_random_movements_leave_alternating_alerts_as_many_as_were_crossed(world: World, seed: int) -> None:
    random, available, low, expected = Random(seed), 6, False, []
    await create(world, seller(), record(id="a", notify_below=5), opening=available)
    for _ in range(25):
        count = random.randrange(3, 8)
        await world.inventory().AdjustStock(adjust("a", count=count))
        if (count < 5) != low:
            low = not low
            expected.append((len(expected) + 1, "BELOW" if low else "RECOVERED", count))
    assert expected
    assert short(await alerts(world)) == expected


async def test_movements_at_once_count_every_crossing_once(world: World) -> None:
    await create(world, seller(), record(id="a", notify_below=10), opening=20)
    keys = [new_key() for _ in range(20)]
    await asyncio.gather(*[world.reserve(key, line()) for key in keys])
    assert short(await alerts(world)) == [(1, "BELOW", 9)]
    release = world.reservations().ReleaseReservation
    await asyncio.gather(*[release(res.ReleaseReservationRequest(order_key=key, attempt=1)) for key in keys])
    assert short(await alerts(world)) == [(1, "BELOW", 9), (2, "RECOVERED", 10)]


async def test_alerts_are_the_sellers_and_the_own_suppliers_and_go_with_their_record(world: World) -> None:
    for id, owner in (("mine", "bolt"), ("theirs", "nut")):
        await create(world, seller(), record(id=id, supplier_id=owner, notify_below=1), opening=1)
        await world.inventory().AdjustStock(adjust(id, count=0))
    assert [a.inventory_record_id for a in await alerts(world)] == ["mine", "theirs"]
    assert [a.inventory_record_id for a in await alerts(world, KEEPER)] == ["mine"]
    assert [a.inventory_record_id for a in await alerts(world, filter='supplier_id = "nut" AND kind = "BELOW"')] == ["theirs"]
    listed = await world.inventory(KEEPER).ListInventoryRecords(svc.ListInventoryRecordsRequest(filter="low_stock = true"))
    assert [r.id for r in listed.inventory_records] == ["mine"]
    for caller, reason in ((supplier(roles.ORDER_READER), "ROLE_MISSING"), (buyer(roles.INVENTORY_ADMIN), "PARTY_NOT_ADMITTED")):
        with pytest.raises(WaybillError) as refused:
            await alerts(world, caller)
        assert refused.value.reason == reason
    await world.inventory().DeleteInventoryRecord(svc.DeleteInventoryRecordRequest(inventory_record_id="mine"))
    assert [a.inventory_record_id for a in await alerts(world)] == ["theirs"]


async def test_thresholds_out_of_range_are_refused_with_everything_else(world: World) -> None:
    for below in (-1, 1_000_000_001):
        with pytest.raises(WaybillError) as refused:
            await create(world, seller(), record(priority=1_000_001, notify_below=below))
        assert [(f.field, f.reason) for f in refused.value.fields] == [
            ("inventory_record.priority", "VALUE_OUT_OF_RANGE"),
            ("inventory_record.notify_below", "VALUE_OUT_OF_RANGE"),
        ]
        await create(world, seller(), record(id=f"b{abs(below)}", product_id="other"))
