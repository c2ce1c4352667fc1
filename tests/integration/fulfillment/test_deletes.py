"""DeleteInventoryRecord: what a delete leaves behind, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict

from libs.errors import Kind, WaybillError
from services import roles
from services.fulfillment.adapters.db.stock.stock_store import SqlStockStore
from services.fulfillment.adapters.db.tables import changes, deleted_ids, stock_addresses, stock_movements
from tests.integration.fulfillment.test_inventory import KEEPER, adjust, create, record
from tests.integration.fulfillment.world import World, line, new_key, reject
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import reservation_service_pb2 as res

BLOCKED = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%inventory_records%'")
GONE = (Kind.MISSING, "RESOURCE_NOT_FOUND")


async def delete(world: World, id: str = "a", caller: Any = None, **more: Any) -> None:
    await world.inventory(caller).DeleteInventoryRecord(svc.DeleteInventoryRecordRequest(inventory_record_id=id, **more))


async def refusal(call: Coroutine[Any, Any, Any]) -> tuple[Kind, str]:
    with pytest.raises(WaybillError) as caught:
        await call
    return caught.value.kind, caught.value.reason


async def used_by(world: World) -> str:
    """What hinders the delete."""
    with pytest.raises(WaybillError) as caught:
        await delete(world)
    assert (caught.value.kind, caught.value.reason) == (Kind.PRECONDITION, "RESOURCE_IN_USE")
    return caught.value.metadata["used_by"]


async def count(world: World, table: sa.Table) -> int:
    assert world.app.database is not None
    async with world.app.database.reading() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_a_deleted_record_is_gone_with_its_ledger_and_its_last_body_shows_what_was_written_off(world: World) -> None:
    await create(world, seller(), record(id="a"), opening=7)
    await world.inventory().AdjustStock(adjust("a", count=5))
    last = await world.record("a")

    await delete(world)

    assert await refusal(world.record("a")) == GONE
    assert (await world.inventory().ListStockMovements(svc.ListStockMovementsRequest())).stock_movements == []
    assert [await count(world, table) for table in (stock_movements, stock_addresses)] == [0, 0]
    assert world.app.database is not None
    async with world.app.database.reading() as tx:
        rows = (await tx.execute(sa.select(changes.changes).order_by(changes.changes.c.id))).all()
    assert [(row.resource, row.resource_id, row.version) for row in rows] == [("inventory record", "a", n) for n in (2, 3, 3)]
    assert rows[-1].body == MessageToDict(last, preserving_proto_field_name=True)
    assert rows[-1].body["on_hand"] == "5"


async def test_a_delete_needs_the_role_and_the_etag_that_holds_and_a_record_of_ones_own(world: World) -> None:
    await create(world, KEEPER, record(id="a"))
    await create(world, seller(), record(id="theirs", supplier_id="nut"))
    assert await refusal(delete(world, caller=buyer(roles.INVENTORY_ADMIN))) == (Kind.DENIED, "PARTY_NOT_ADMITTED")
    for caller in (supplier(), seller(roles.ORDER_ADMIN)):
        assert await refusal(delete(world, caller=caller)) == (Kind.DENIED, "ROLE_MISSING")
    assert await refusal(delete(world, "theirs", KEEPER)) == GONE
    for nothing in ("nothing", "no id"):
        assert await refusal(delete(world, nothing)) == GONE
    assert await refusal(delete(world, etag="2")) == (Kind.STALE, "ETAG_MISMATCH")
    await delete(world, caller=KEEPER, etag="1")
    await delete(world, "theirs")


async def test_repeats_of_what_was_asked_before_a_delete_find_nothing_and_its_own_is_answered(world: World) -> None:
    creating = svc.CreateInventoryRecordRequest(inventory_record=record(id="a"), opening_quantity=3, request_id="c1")
    booking = svc.AdjustStockRequest(adjustments=adjust("a", change=1).adjustments, request_id="b1")
    await world.inventory().CreateInventoryRecord(creating)
    await world.inventory().AdjustStock(booking)
    await delete(world, request_id="d1")

    await delete(world, request_id="d1")

    assert await refusal(delete(world, request_id="d2")) == GONE
    assert await refusal(delete(world, "b", request_id="d1")) == (Kind.INVALID, "REQUEST_ID_REUSED")
    assert await refusal(world.inventory().CreateInventoryRecord(creating)) == GONE
    assert await refusal(world.inventory().AdjustStock(booking)) == GONE


async def test_the_id_of_a_deleted_record_is_free_again_after_30_days(world: World) -> None:
    await create(world, seller(), record(id="a"))
    await delete(world)
    new = [svc.NewInventoryRecord(inventory_record=record(id=id)) for id in ("b", "a")]
    with pytest.raises(WaybillError) as taken:
        await world.inventory().BatchCreateInventoryRecords(svc.BatchCreateInventoryRecordsRequest(inventory_records=new))
    assert (taken.value.kind, taken.value.reason) == (Kind.EXISTS, "ID_OF_DELETED")
    assert taken.value.metadata == {"resource": "inventory record", "id": "a"}
    assert [f.field for f in taken.value.fields] == ["inventory_records[1].inventory_record.id"]

    world.clock.advance(timedelta(days=30, seconds=1))
    (forget,) = [loop for loop in world.app.background if loop.name == "forget"]
    await forget.once()

    assert await count(world, deleted_ids) == 0
    await create(world, seller(), record(id="a"))


async def test_an_attempt_hinders_while_it_holds_units_and_not_once_it_is_released(world: World) -> None:
    await world.stock(("a", "drill", "", 9), ("b", "bit", "", 9))
    key = new_key()
    await world.reserve(key, line(quantity=2), line("l2", 1, "bit"))
    assert await used_by(world) == f"reservation: 1 ({key})"
    release = res.ReleaseReservationRequest(order_key=key, attempt=1)
    await world.reservations().ReleaseReservation(release)

    await delete(world)

    await world.reservations().ReleaseReservation(release)
    again = await world.reserve(key, line(quantity=2), line("l2", 1, "bit"))
    assert [p.reason for p in again.problems] == ["RESERVATION_RELEASED"]
    assert await world.counters("b") == (9, 0, 0, 9)


async def test_an_order_that_was_ever_given_units_hinders_for_good(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    await world.placed("PO1", line(quantity=2, default_supplier_id="bolt"))
    assert await used_by(world) == "order: 1 (PO1)"
    await world.ship(items=[("PO1-1", "l1", 2)])
    assert await used_by(world) == "order: 1 (PO1)"
    await world.placed("PO2", line(quantity=1, default_supplier_id="bolt"))
    assert await used_by(world) == "order: 2 (PO1, PO2)"
    await reject(world, "PO2-1")
    assert await used_by(world) == "order: 2 (PO1, PO2)"


async def meet(world: World, patched: pytest.MonkeyPatch, name: str, first: Any, second: Any) -> list[Any]:
    """What two calls answer, the second one begun while the first stands in its transaction, after a step of the stock store.

    On PostgreSQL the first goes on when the second waits for it. SQLite has one writer.
    """
    step, reached, go_on = getattr(SqlStockStore, name), asyncio.Event(), asyncio.Event()

    async def waiting(*given: Any) -> Any:
        answer = await step(*given)
        reached.set()
        await go_on.wait()
        return answer

    patched.setattr(SqlStockStore, name, waiting)
    one = asyncio.ensure_future(first)
    await reached.wait()
    other = asyncio.ensure_future(second)
    database = world.app.database
    assert database is not None
    async with asyncio.timeout(30):
        while database.dialect == "postgresql" and not other.done():
            async with database.reading() as tx:
                if (await tx.execute(BLOCKED)).scalar():
                    break
    go_on.set()
    return await asyncio.gather(one, other, return_exceptions=True)


async def test_who_reserves_units_of_what_is_being_deleted_waits_and_finds_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.stock(("a", "drill", "", 9))

    gone, refused = await meet(world, monkeypatch, "uses", delete(world), world.reserve(new_key(), line()))

    assert gone is None
    assert [p.reason for p in refused.problems] == ["INSUFFICIENT_INVENTORY"]
    assert await refusal(world.record("a")) == GONE


async def test_a_delete_waits_for_who_reserves_units_and_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.stock(("a", "drill", "", 9))
    key = new_key()

    reserved, refused = await meet(world, monkeypatch, "book", world.reserve(key, line()), delete(world))

    assert not reserved.problems
    assert refused.metadata["used_by"] == f"reservation: 1 ({key})"
    assert await world.counters("a") == (9, 1, 0, 8)


async def test_deletes_and_reservations_at_the_same_time_leave_nothing_that_is_not_there(world: World) -> None:
    ids = [f"r{n}" for n in range(8)]
    await world.stock(*[(id, f"p{id}", "", 9) for id in ids])

    calls = [call for id in ids for call in (world.reserve(new_key(), line(product=f"p{id}")), delete(world, id))]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    for reserved, deleted in zip(answers[::2], answers[1::2], strict=True):
        assert bool(reserved.problems) == (deleted is None)
