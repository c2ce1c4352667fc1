"""A change of an order on the wire and on both databases: tried, applied, released, repeated, overtaken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.errors import WaybillError
from libs.protoconv import time_out
from tests.integration.fulfillment.world import World, cents, line, status
from waybill.fulfillment.v1 import reservation_service_pb2 as res


async def tried(world: World, key: str, attempt: int = 2) -> Any:
    deadline = time_out(world.clock.now() + timedelta(seconds=30))
    return await world.reservations().TryChange(res.TryChangeRequest(order_key=key, attempt=attempt, deadline=deadline))


async def applied(world: World, key: str, attempt: int = 2) -> Any:
    return await world.reservations().ApplyChange(res.ApplyChangeRequest(order_key=key, attempt=attempt))


async def released(world: World, key: str, attempt: int = 2) -> Any:
    return await world.reservations().ReleaseChange(res.ReleaseChangeRequest(order_key=key, attempt=attempt))


async def half_shipped(world: World) -> str:
    """Two supplier orders: PO1-1 with 2 of 5 units shipped and one packed, PO1-2 untouched."""
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "nut", 9))
    want = (line("l1", 5, default_supplier_id="bolt"), line("l2", 2, "bit", default_supplier_id="nut"))
    key, _ = await world.placed("PO1", *want)
    await world.ship(items=[("PO1-1", "l1", 2)])
    await world.ship(id="box", items=[("PO1-1", "l1", 1)], at=None)
    return key


async def test_a_change_gives_up_what_is_open_and_says_what_it_was_worth(world: World) -> None:
    key = await half_shipped(world)
    found = await tried(world, key)
    assert [status(o) for o in found.supplier_orders] == ["FROZEN", "FROZEN"]
    assert cents(found.canceled.subtotal) == 3 * 1_001 + 2 * 1_001
    assert await tried(world, key) == found
    with pytest.raises(WaybillError) as frozen:
        await world.send("box")
    assert frozen.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    done = await applied(world, key)
    assert await applied(world, key) == done
    assert [status(o) for o in done.supplier_orders] == ["COMPLETED", "CANCELED"]
    assert sum(cents(o.canceled.total) for o in done.supplier_orders) == cents(found.canceled.total)
    assert await world.counters("a") == (7, 0, 0, 7)
    assert await world.counters("b") == (9, 0, 0, 9)
    with pytest.raises(WaybillError) as void:
        await world.send("box")
    assert void.value.reason == "SHIPMENT_VOID"


async def test_a_released_change_leaves_everything_as_it_was_and_cannot_be_tried_again(world: World) -> None:
    key = await half_shipped(world)
    await tried(world, key)
    back = await released(world, key)
    assert [(status(o), o.line_items[0].quantity_canceled) for o in back.supplier_orders] == [("ACCEPTED", 0), ("OPEN", 0)]
    assert await released(world, key) == back
    for step in (tried, applied):
        with pytest.raises(WaybillError) as late:
            await step(world, key)
        assert late.value.reason == "RESERVATION_RELEASED"
    await world.send("box")


async def test_a_release_that_overtakes_its_try_refuses_it(world: World) -> None:
    key = await half_shipped(world)
    await released(world, key)
    with pytest.raises(WaybillError) as late:
        await tried(world, key)
    assert late.value.reason == "RESERVATION_RELEASED"
    assert [status(o) for o in (await tried(world, key, 3)).supplier_orders] == ["FROZEN", "FROZEN"]
    await released(world, key, 3)


async def test_the_late_end_of_a_refused_cancel_does_not_thaw_a_change(world: World) -> None:
    key = await half_shipped(world)
    await tried(world, key)
    await world.reservations().UnfreezeOrder(res.UnfreezeOrderRequest(order_key=key))
    assert status(await world.supplier_order("PO1-2")) == "FROZEN"
    await applied(world, key)


async def test_an_older_hold_is_not_taken_for_news_because_of_a_change(world: World) -> None:
    key = await half_shipped(world)
    hold = world.reservations().SetOrderHold
    await hold(res.SetOrderHoldRequest(order_key=key, held=False, version=9))
    await tried(world, key)
    await hold(res.SetOrderHoldRequest(order_key=key, held=True, version=5))
    assert not (await world.supplier_order("PO1-2")).held
    await applied(world, key)


@pytest.mark.parametrize(("state", "after"), [("TRYING", "FROZEN"), ("ACCEPTED", "FROZEN"), ("REFUSED", "OPEN")])
async def test_an_overdue_change_asks_what_became_of_its_attempt(world: World, state: str, after: str) -> None:
    key = await half_shipped(world)
    await tried(world, key)
    world.orders.states[key] = state
    world.clock.advance(timedelta(hours=1))
    await world.background.expiry.once()
    assert status(await world.supplier_order("PO1-2")) == after
    await released(world, key)
