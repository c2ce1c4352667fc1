"""Orders on hold: nothing more is packed or leaves, whatever supplier orders come to be meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.errors import WaybillError
from tests.integration.fulfillment.world import World, accept, line, new_key, reject, status
from waybill.fulfillment.v1 import reservation_service_pb2 as res


async def hold(world: World, key: str, version: int, held: bool = True) -> list[Any]:
    request = res.SetOrderHoldRequest(order_key=key, held=held, version=version)
    return list((await world.reservations().SetOrderHold(request)).supplier_orders)


async def refusal(world: World, id: str, quantity: int = 1) -> str:
    """The reason why units of l1 cannot be shipped; empty when they were."""
    try:
        await world.ship(items=[(id, "l1", quantity)])
    except WaybillError as error:
        return error.reason
    return ""


async def test_a_hold_stops_what_has_not_left_until_it_ends(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=3))
    assert await refusal(world, "PO1-1") == ""
    packed = await world.ship(items=[("PO1-1", "l1", 1)], at=None)
    for _ in range(2):
        (held,) = await hold(world, key, 7)
        assert (status(held), held.held, held.version) == ("ACCEPTED", True, 4)
    with pytest.raises(WaybillError) as refused:
        await world.send(packed.id)
    assert (refused.value.reason, refused.value.metadata["supplier_order"]) == ("SUPPLIER_ORDER_HELD", "PO1-1")
    assert await refusal(world, "PO1-1") == "SUPPLIER_ORDER_HELD"
    assert await world.counters("a") == (8, 0, 2, 6)
    (free,) = await hold(world, key, 8, held=False)
    assert (status(free), free.held) == ("ACCEPTED", False)
    await world.send(packed.id)
    assert await refusal(world, "PO1-1") == ""
    assert status(await world.supplier_order("PO1-1")) == "COMPLETED"


async def test_an_older_decision_changes_nothing(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=2))
    assert [o.held for o in await hold(world, key, 9, held=False)] == [False]
    assert [(o.held, o.version) for o in await hold(world, key, 8)] == [(False, 1)]
    assert await refusal(world, "PO1-1") == ""


async def test_supplier_orders_that_come_later_begin_held(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 5), ("b", "drill", "nut", 5))
    want = line(quantity=2, default_supplier_id="bolt", supplier_ids=["nut"])
    early = new_key()
    await world.reserve(early, want)
    assert await hold(world, early, 3) == []
    (made,) = await world.confirm(early, "PO1", want)
    assert (status(made), made.held) == ("OPEN", True)
    await reject(world, "PO1-1")
    assert (await world.supplier_order("PO1-2")).held
    whole, _ = await world.placed("PO2", want, forward=False)
    await hold(world, whole, 3)
    forwarded = (await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=whole))).supplier_orders
    assert [(o.moved, o.held) for o in forwarded] == [(True, True), (False, True)]
    assert [await refusal(world, id) for id in ("PO1-2", "PO2-2")] == ["SUPPLIER_ORDER_HELD"] * 2
    await hold(world, early, 4, held=False)
    await hold(world, whole, 4, held=False)
    assert [await refusal(world, id, 2) for id in ("PO1-2", "PO2-2")] == ["", ""]


async def test_a_cancel_goes_on_beside_a_hold(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line(quantity=2))
    await accept(world, "PO1-1")
    await hold(world, key, 3)
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=key))
    assert await refusal(world, "PO1-1") == "SUPPLIER_ORDER_HELD"
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    (gone,) = (await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))).supplier_orders
    assert status(gone) == "CANCELED"
    assert await world.counters("a") == (9, 0, 0, 9)


async def test_a_hold_and_a_shipment_meet_in_one_order(world: World) -> None:
    """Whoever comes first is obeyed: what left was not held, and nothing leaves after the hold's answer."""
    await world.stock(("a", "drill", "", 99))
    for n in range(8):
        key, _ = await world.placed(f"PO{n}", line(quantity=2))
        calls = [refusal(world, f"PO{n}-1"), hold(world, key, 5)]
        outcome, answer = await asyncio.gather(*calls) if n % 2 else reversed(await asyncio.gather(*reversed(calls)))
        assert outcome in ("", "SUPPLIER_ORDER_HELD")
        (shown,) = answer
        assert shown.line_items[0].quantity_shipped == (1 if outcome == "" else 0)
        assert await refusal(world, f"PO{n}-1") == "SUPPLIER_ORDER_HELD"


async def test_a_hold_of_nothing_is_not_found_and_of_no_version_refused(world: World) -> None:
    with pytest.raises(WaybillError) as missing:
        await hold(world, new_key(), 1)
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    with pytest.raises(WaybillError) as wrong:
        await hold(world, new_key(), 0)
    assert [f.field for f in wrong.value.fields] == ["version"]
