"""The seller moves units between suppliers by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.fulfillment.test_concurrency import outcomes
from tests.integration.fulfillment.test_supplier_orders import all_of
from tests.integration.fulfillment.world import World, accept, cents, line, status
from tests.support.principals import seller
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc

WANT = line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"])


async def move(world: World, id: str, target: str, request_id: str = "", **units: int) -> Any:
    """The two supplier orders after units left the one for the other."""
    moved = [svc.MovedUnits(line_item_id=name, quantity=quantity) for name, quantity in units.items()]
    request = svc.MoveSupplierOrderUnitsRequest(supplier_order_id=id, units=moved, supplier_id=target, request_id=request_id)
    answer = await world.supplier_orders(seller(roles.ORDER_ADMIN)).MoveSupplierOrderUnits(request)
    return answer.supplier_order, answer.target


async def stocked(world: World, *lines: Any, **values: Any) -> tuple[str, list[Any]]:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 3), ("c", "others", "bolt", 9))
    return await world.placed("PO1", *(lines or (WANT,)), **values)


async def test_units_go_to_the_named_supplier_with_their_amounts_and_stock_and_once(world: World) -> None:
    key, (whole,) = await stocked(world, within=timedelta(hours=1))
    world.clock.advance(timedelta(minutes=10))
    left, made = await move(world, "PO1-1", "nut", "r1", l1=2)
    assert [(o.id, o.supplier_id, status(o), o.line_items[0].quantity) for o in (left, made)] == [
        ("PO1-1", "bolt", "OPEN", 3),
        ("PO1-2", "nut", "OPEN", 2),
    ]
    assert cents(left.line_items[0].subtotal) == 3_003
    assert cents(left.total) + cents(made.total) == cents(whole.total)
    assert left.accept_by == whole.accept_by
    assert made.accept_by.seconds - left.accept_by.seconds == 600
    assert (await world.counters("a"), await world.counters("b")) == ((9, 0, 3, 6), (3, 0, 2, 1))
    assert await move(world, "PO1-1", "nut", "r1", l1=2) == (left, made)
    # What is moved later joins, and nothing is left.
    await move(world, "PO1-1", "nut", l1=1)
    gone, mine = await move(world, "PO1-1", "", l1=2)
    assert (status(gone), gone.moved, cents(gone.total)) == ("CANCELED", True, 0)
    assert (mine.supplier_id, mine.line_items[0].quantity_unallocated, mine.unclaimed) == ("", 2, False)
    assert [o.line_items[0].quantity for o in await all_of(world, key)] == [0, 3, 2]
    assert sum(cents(o.total) for o in await all_of(world, key)) == cents(whole.total)
    assert await world.counters("b") == (3, 0, 3, 0)
    assert {o.id: o.version for o in world.orders.orders.values()} == {"PO1-1": 4, "PO1-2": 2, "PO1-3": 1}


async def test_what_is_packed_or_has_shipped_stays(world: World) -> None:
    await stocked(world)
    await world.ship(items=[("PO1-1", "l1", 1)])
    await world.ship(items=[("PO1-1", "l1", 1)], at=None)
    assert await outcomes(move(world, "PO1-1", "nut", l1=4)) == ["MOVE_EXCEEDS_OPEN"]
    left, made = await move(world, "PO1-1", "nut", l1=3)
    assert (status(left), left.line_items[0].quantity, left.line_items[0].quantity_packed) == ("ACCEPTED", 2, 1)
    assert (made.line_items[0].quantity, made.line_items[0].quantity_shipped) == (3, 0)
    await world.ship(items=[("PO1-2", "l1", 3)])
    assert status(await world.supplier_order("PO1-2")) == "COMPLETED"


async def test_all_that_stands_against_a_move_is_said_at_once(world: World) -> None:
    await stocked(world, WANT, line("l2", 1, "others", default_supplier_id="bolt"))
    with pytest.raises(WaybillError) as refused:
        await move(world, "PO1-1", "nut", l1=6, l2=1, l3=1)
    assert refused.value.reason == "INVALID_REQUEST"
    assert [(f.field, f.reason) for f in refused.value.fields] == [
        ("units[1].line_item_id", "PRODUCT_NOT_FULFILLED"),
        ("units[2].line_item_id", "LINE_NOT_ON_SUPPLIER_ORDER"),
    ]
    assert [(r.subject, r.type) for r in refused.value.rules] == [
        ("units[0].quantity", "MOVE_EXCEEDS_OPEN"),
        ("units[0].quantity", "TARGET_OUT_OF_STOCK"),
        ("units[1].quantity", "TARGET_OUT_OF_STOCK"),
    ]
    with pytest.raises(WaybillError) as short:
        await move(world, "PO1-1", "nut", l1=4)
    assert (short.value.reason, short.value.metadata) == ("TARGET_OUT_OF_STOCK", {"line_item": "l1", "missing": "1"})
    units = [svc.MovedUnits(line_item_id="l1"), svc.MovedUnits(line_item_id="l1", quantity=1)]
    for request, fields in (
        (svc.MoveSupplierOrderUnitsRequest(), ["supplier_order_id", "units"]),
        (
            svc.MoveSupplierOrderUnitsRequest(supplier_order_id="PO1-1", units=units),
            ["units[0].quantity", "units[1].line_item_id"],
        ),
    ):
        with pytest.raises(WaybillError) as wrong:
            await world.supplier_orders().MoveSupplierOrderUnits(request)
        assert [f.field for f in wrong.value.fields] == fields
    assert await outcomes(move(world, "PO1-1", "bolt", l1=1)) == ["FIELD_INVALID"]


async def test_only_what_is_open_and_forwarded_can_be_moved(world: World) -> None:
    key, _ = await stocked(world)
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    assert await outcomes(move(world, "PO1-1", "nut", l1=1)) == ["SUPPLIER_ORDER_STATUS_CONFLICT"]
    await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))
    await world.placed("PO2", WANT, forward=False)
    for id in ("PO1-1", "PO2-1"):
        assert await outcomes(move(world, id, "nut", l1=1)) == ["SUPPLIER_ORDER_STATUS_CONFLICT"]


async def test_units_are_moved_or_shipped_and_never_both(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 99), ("b", "drill", "nut", 99))
    for n in range(6):
        await world.placed(f"PO{n}", WANT)
        calls = [move(world, f"PO{n}-1", "nut", l1=5), world.ship(items=[(f"PO{n}-1", "l1", 5)])]
        moved, shipped = await outcomes(*calls)
        assert (moved == "") is (shipped != ""), (moved, shipped)
        assert "" in (moved, shipped)


async def test_a_move_sends_as_many_statements_for_many_lines_as_for_one(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 99), ("b", "drill", "nut", 99))
    sent: list[int] = []
    for count in (1, 40):
        lines = [line(f"l{n}", 1, default_supplier_id="bolt", supplier_ids=["nut"]) for n in range(count)]
        await world.placed(f"PO{count}", *lines)
        await accept(world, f"PO{count}-1")
        assert world.app.statements is not None
        before = world.app.statements()
        await move(world, f"PO{count}-1", "nut", **{x.line_item_id: 1 for x in lines})
        sent.append(world.app.statements() - before)
    assert sent[0] == sent[1]
