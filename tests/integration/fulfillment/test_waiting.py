"""Lines of supplier orders show which of their units wait for stock, and the order service hears of it."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import WaybillError
from libs.protoconv import time_out
from tests.integration.fulfillment.test_inventory import adjust, create, record
from tests.integration.fulfillment.world import START, World, line, reject
from tests.support.principals import seller
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import reservation_service_pb2 as res

MAY = time_out(START + timedelta(days=9))
JUNE = time_out(START + timedelta(days=40))


async def stocked(world: World, opening: int, **values: Any) -> None:
    await create(world, seller(), record(id="a", can_exceed=True, **{"expected_time": MAY, **values}), opening=opening)


async def receive(world: World, units: int) -> None:
    await world.inventory().AdjustStock(adjust("a", change=units))


async def waits(world: World, *ids: str) -> list[int]:
    """What the lines show, and what the order service has heard of them: the same."""
    world.clock.advance(timedelta(seconds=5))
    await world.background.reporting.relay()
    shown = [await world.supplier_order(f"{id}-1") for id in ids]
    heard = {o.id: o for o in world.orders.orders.values()}
    assert [heard[o.id].line_items for o in shown] == [o.line_items for o in shown]
    return [o.line_items[0].quantity_backordered for o in shown]


async def versions(world: World, *ids: str) -> list[int]:
    return [(await world.supplier_order(f"{id}-1")).version for id in ids]


async def test_the_orders_submitted_first_are_served_first_and_the_others_show_when_more_comes(world: World) -> None:
    await stocked(world, 5)
    for id in ("PO1", "PO2", "PO3"):
        world.clock.advance(timedelta(seconds=1))
        await world.placed(id, line(quantity=4))
    assert await world.background.waiting.once() == 2
    assert await waits(world, "PO1", "PO2", "PO3") == [0, 3, 4]
    (one, two) = [(await world.supplier_order(f"{id}-1")).line_items[0] for id in ("PO1", "PO2")]
    assert (two.expected_time, two.allocations[0].quantity_backordered, two.allocations[0].expected_time) == (MAY, 3, MAY)
    assert [x.HasField("expected_time") for x in (one, one.allocations[0])] == [False, False]


async def test_a_receipt_a_count_and_another_time_are_shown_and_nothing_is_written_when_nothing_changed(world: World) -> None:
    await stocked(world, 0)
    for id in ("PO1", "PO2"):
        world.clock.advance(timedelta(seconds=1))
        await world.placed(id, line(quantity=4))
    await world.background.waiting.once()
    assert await waits(world, "PO1", "PO2") == [4, 4]
    before = await versions(world, "PO1", "PO2")
    # What is received for the first one is no news for the second.
    await receive(world, 3)
    assert await world.background.waiting.once() == 1
    assert await waits(world, "PO1", "PO2") == [1, 4]
    assert await versions(world, "PO1", "PO2") == [before[0] + 1, before[1]]
    await world.inventory().AdjustStock(adjust("a", count=6))
    await world.background.waiting.once()
    assert await waits(world, "PO1", "PO2") == [0, 2]
    later = svc.UpdateInventoryRecordRequest(
        inventory_record=inv.InventoryRecord(id="a", expected_time=JUNE), update_mask=FieldMask(paths=["expected_time"])
    )
    await world.inventory().UpdateInventoryRecord(later)
    assert await world.background.waiting.once() == 1
    assert (await world.supplier_order("PO2-1")).line_items[0].expected_time == JUNE
    last = await versions(world, "PO1", "PO2")
    calls, statements = world.orders.calls, world.app.statements()
    assert await world.background.waiting.once() == 0
    assert world.app.statements() == statements + 1
    assert (world.orders.calls, await versions(world, "PO1", "PO2")) == (calls, last)


async def test_units_that_leave_or_are_given_up_free_those_that_wait_behind_them(world: World) -> None:
    await stocked(world, 4, backorder_limit=9)
    first, _ = await world.placed("PO1", line(quantity=4))
    world.clock.advance(timedelta(seconds=1))
    await world.placed("PO2", line(quantity=4))
    await world.background.waiting.once()
    # Who packs decides: the second one takes two, and the first one waits for them now.
    await world.ship(items=[("PO2-1", "l1", 2)])
    await world.background.waiting.once()
    assert await waits(world, "PO1", "PO2") == [2, 2]
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=first))
    await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=first))
    await world.background.waiting.once()
    assert await waits(world, "PO1", "PO2") == [0, 0]


async def test_many_lines_take_as_many_statements_as_few(world: World) -> None:
    await stocked(world, 0)
    counts = []
    for number in (2, 12):
        for n in range(number):
            await world.placed(f"PO{number}x{n}", *[line(f"l{m}", quantity=2) for m in range(number)])
        before = world.app.statements()
        assert await world.background.waiting.once() == number
        counts.append(world.app.statements() - before)
    assert counts[0] == counts[1]


async def test_batches_that_are_smaller_than_what_waits_are_all_shown(world: World) -> None:
    await stocked(world, 1)
    for n in range(5):
        world.clock.advance(timedelta(seconds=1))
        await world.placed(f"PO{n}", line(quantity=2))
    world.background.waiting.batch = 2
    assert await world.background.waiting.once() == 5
    assert await waits(world, *(f"PO{n}" for n in range(5))) == [1, 2, 2, 2, 2]


async def test_whatever_goes_on_at_once_what_is_shown_adds_up_in_the_end(world: World) -> None:
    await stocked(world, 10, backorder_limit=500)
    chance = random.Random(7)

    async def buy(n: int) -> None:
        id, quantity = f"PO{n}", chance.randint(1, 6)
        key, _ = await world.placed(id, line(quantity=quantity))
        for act in chance.sample(("receive", "ship", "cancel", "look", "reject"), 3):
            try:
                match act:
                    case "receive":
                        await receive(world, chance.randint(1, 4))
                    case "ship":
                        await world.ship(items=[(f"{id}-1", "l1", 1)])
                    case "cancel":
                        await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
                        await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))
                    case "reject":
                        await reject(world, f"{id}-1")
                    case _:
                        await world.another().waiting.once()
            except WaybillError:
                # Short stock, or an order that has shipped or ended.
                pass

    await asyncio.gather(*[buy(n) for n in range(16)], *[world.another().waiting.once() for _ in range(4)])
    await world.background.waiting.once()
    on_hand, _, allocated, _ = await world.counters("a")
    await waits(world, *(f"PO{n}" for n in range(16)))
    heard = [x for o in world.orders.orders.values() for x in o.line_items]
    assert sum(x.quantity_backordered for x in heard) == max(0, allocated - on_hand)
