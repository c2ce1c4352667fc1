"""Stock that is for some buyers and groups only: sold to nobody else, and nobody else learns of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import WaybillError
from services import roles
from tests.integration.fulfillment.test_inventory import KEEPER, create, record
from tests.integration.fulfillment.world import World, line, new_key, reject
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as svc
from waybill.fulfillment.v1 import reservation_service_pb2 as res

ANNA = {"buyer_id": "acme", "user_id": "anna"}
GIL = {"buyer_id": "globex", "user_id": "gil"}


async def kept(world: World) -> None:
    """Two units for everybody, three for acme, four for the group of its engineers."""
    await create(world, seller(), record(id="open"), opening=2)
    await create(world, seller(), record(id="acmes", buyer_ids=["acme"]), opening=3)
    await create(world, seller(), record(id="engineers", user_group_ids=["engineers"]), opening=4)


async def plan(world: World, quantity: int, **values) -> tuple[list[tuple[str, int]], list[str]]:
    wanted = line(quantity=quantity, inventory_record_id=values.pop("named", ""))
    answer = await world.reservations().PlanSourcing(res.PlanSourcingRequest(lines=[wanted], **values))
    return [(a.inventory_record_id, a.quantity) for a in answer.assignments], [p.description for p in answer.problems]


async def available(world: World, caller=None, **asked) -> int:
    answer = await world.inventory(caller).CheckAvailability(svc.CheckAvailabilityRequest(product_ids=["drill"], **asked))
    return answer.products[0].available


async def test_each_customer_is_sold_what_is_open_and_what_is_kept_for_it(world: World) -> None:
    await kept(world)
    world.memberships.groups = {"anna": ["engineers"]}
    assert await plan(world, 8, **ANNA) == ([("acmes", 3), ("engineers", 4), ("open", 1)], [])
    assert await plan(world, 4, buyer_id="acme") == ([("acmes", 3), ("open", 1)], [])
    assert await plan(world, 2, **GIL) == ([("open", 2)], [])
    short = "1 of 3 units of product drill are not available."
    assert (await plan(world, 3, **GIL))[1] == [short]
    assert (await plan(world, 3))[1] == [short]
    hidden, unknown = await plan(world, 1, named="acmes", **GIL), await plan(world, 1, named="none", **GIL)
    assert hidden[1] == [unknown[1][0].replace("none", "acmes")]


async def test_groups_are_asked_for_only_where_a_record_names_some(world: World) -> None:
    await create(world, seller(), record(id="open"), opening=2)
    await create(world, seller(), record(id="acmes", buyer_ids=["acme"]), opening=3)
    await plan(world, 1, **GIL)
    await world.reserve(new_key(), line(), **GIL)
    assert world.memberships.asked == []
    await create(world, seller(), record(id="engineers", user_group_ids=["engineers"]), opening=4)
    await world.reserve(new_key(), line(), **ANNA)
    assert world.memberships.asked == ["anna"]


async def test_a_reserve_takes_no_stock_of_others_planned_or_not(world: World) -> None:
    await kept(world)
    world.memberships.groups = {"anna": ["engineers"]}
    planned = (await world.reservations().PlanSourcing(res.PlanSourcingRequest(lines=[line(quantity=8)], **ANNA))).assignments
    stolen = await world.reserve(new_key(), line(quantity=8), plan=planned, **GIL)
    assert [p.reason for p in stolen.problems] == ["INSUFFICIENT_INVENTORY"]
    small = (await world.reservations().PlanSourcing(res.PlanSourcingRequest(lines=[line()], **ANNA))).assignments
    stale = await world.reserve(new_key(), line(), plan=small, **GIL)
    assert [p.reason for p in stale.problems] == ["SHIP_ESTIMATE_STALE"]
    key = new_key()
    mine = await world.reserve(key, line(quantity=8), plan=planned, **ANNA)
    assert mine.state == res.RESERVATION_STATE_RESERVED
    again = await world.reserve(key, line(quantity=8), plan=planned, **ANNA)
    assert list(again.assignments) == list(mine.assignments)
    assert await world.counters("engineers") == (4, 4, 0, 0)
    contended = await world.reserve(new_key(), line(quantity=2), **GIL)
    assert [(p.reason, p.contended) for p in contended.problems] == [("INSUFFICIENT_INVENTORY", True)]
    # What others hold of stock that is not for one is nothing to wait for.
    assert [p.contended for p in (await world.reserve(new_key(), line(quantity=3), **GIL)).problems] == [False]


async def test_availability_is_of_what_one_may_be_sold(world: World) -> None:
    await kept(world)
    engineer = replace(buyer(), groups=frozenset({"engineers"}))
    assert await available(world) == 9
    assert await available(world, buyer()) == 5
    assert await available(world, engineer) == 9
    assert await available(world, buyer(party="globex", user="gil")) == 2
    assert await available(world, seller(), buyer_id="globex") == 2
    world.memberships.groups = {"anna": ["engineers"]}
    assert await available(world, seller(), **ANNA) == 9
    cut = replace(buyer(), groups=None)
    assert await available(world, cut) == 9
    for caller, asked, field in (
        (buyer(), GIL, "buyer_id"),
        (buyer(), {"buyer_id": "acme", "user_id": "gil"}, "user_id"),
        (supplier(roles.INVENTORY_READER), ANNA, "buyer_id"),
        (seller(), {"user_id": "anna"}, "buyer_id"),
    ):
        with pytest.raises(WaybillError) as refused:
            await available(world, caller, **asked)
        assert field in [f.field for f in refused.value.fields]


async def test_a_supplier_sees_and_restricts_its_own(world: World) -> None:
    made = await create(world, KEEPER, record(id="a", buyer_ids=["acme"], user_group_ids=["engineers"]), opening=3)
    assert (made.buyer_ids, made.user_group_ids) == (["acme"], ["engineers"])
    assert await available(world, KEEPER) == 3
    opened = svc.UpdateInventoryRecordRequest(
        inventory_record=inv.InventoryRecord(id="a"), update_mask=FieldMask(paths=["buyer_ids", "user_group_ids"])
    )
    await world.inventory(KEEPER).UpdateInventoryRecord(opened)
    assert await available(world, buyer(party="globex", user="gil")) == 3


async def test_units_of_a_rejected_order_find_no_home_in_stock_of_others(world: World) -> None:
    await create(world, seller(), record(id="first", supplier_id="bolt"), opening=2)
    await create(world, seller(), record(id="others", supplier_id="nut", buyer_ids=["globex"]), opening=9)
    await create(world, seller(), record(id="own", supplier_id="nut", user_group_ids=["engineers"]), opening=1)
    world.memberships.groups = {"anna": ["engineers"]}
    wanted = line(quantity=2, default_supplier_id="bolt", supplier_ids=["nut"])
    await world.placed("PO1", wanted)
    await reject(world, "PO1-1", supplier())
    assert await world.counters("others") == (9, 0, 0, 9)
    assert await world.counters("own") == (1, 0, 1, 0)
    assert world.memberships.asked[-1] == "anna"


async def test_what_cannot_be_whom_a_record_is_for_is_refused_at_once(world: World) -> None:
    many = [f"b{n}" for n in range(1_000)]
    for values, faults in (
        ({"buyer_ids": [*many, "one"]}, [("buyer_ids", "TOO_MANY_ITEMS")]),
        ({"buyer_ids": many, "user_group_ids": ["g"]}, [("buyer_ids", "TOO_MANY_ITEMS")]),
        (
            {"buyer_ids": ["a", "no id", "a"], "user_group_ids": [""]},
            [("buyer_ids[1]", "ID_INVALID"), ("buyer_ids[2]", "DUPLICATE_ITEM"), ("user_group_ids[0]", "FIELD_REQUIRED")],
        ),
    ):
        with pytest.raises(WaybillError) as refused:
            await create(world, seller(), record(**values))
        assert [(f.field, f.reason) for f in refused.value.fields] == [(f"inventory_record.{at}", why) for at, why in faults]
    assert len((await create(world, seller(), record(id="a", buyer_ids=many))).buyer_ids) == 1_000
