"""SimulateSourcing says where units would come from, and why, and takes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.fulfillment.world import World
from tests.support.principals import seller
from waybill.fulfillment.v1 import inventory_service_pb2 as pb


async def simulate(world: World, *lines: Any, strategy: str = "") -> list[Any]:
    call = world.inventory(seller(roles.INVENTORY_READER)).SimulateSourcing
    return list((await call(pb.SimulateSourcingRequest(lines=lines, strategy=strategy))).lines)


async def test_a_simulation_names_plan_problems_and_candidates_and_takes_nothing(world: World) -> None:
    await world.stock(("a", "drill", "", 2), ("b", "drill", "", 3), ("c", "drill", "bolt", 9))
    first, second = await simulate(
        world, pb.SimulatedLine(product_id="drill", quantity=4), pb.SimulatedLine(product_id="drill", quantity=2)
    )
    assert [(a.line_item_id, a.inventory_record_id, a.quantity) for a in first.assignments] == [("0", "a", 2), ("0", "b", 2)]
    excluded = pb.SOURCING_EXCLUSION_SUPPLIER_NOT_ALLOWED
    assert [(c.inventory_record_id, c.place, c.behind_by, c.available, c.excluded_by) for c in first.candidates] == [
        ("a", 1, "", 2, 0),
        ("b", 2, "record_id", 3, 0),
        ("c", 0, "", 9, excluded),
    ]
    assert [(p.reason, p.subject) for p in second.problems] == [("INSUFFICIENT_INVENTORY", "line_items[1]")]
    assert [c.quantity for c in second.candidates] == [0, 1, 0]
    assert await world.counters("b") == (3, 0, 0, 3)


async def test_a_simulation_by_stages_is_ordered_by_them(world: World) -> None:
    await world.stock(("a", "drill", "", 2), ("b", "drill", "", 3))
    call = world.inventory(seller(roles.INVENTORY_READER)).SimulateSourcing
    lines = [pb.SimulatedLine(product_id="drill", quantity=3)]
    for stages, records in ((["fewest_parcels"], ["b"]), (["priority"], ["a", "b"])):
        (only,) = (await call(pb.SimulateSourcingRequest(lines=lines, stages=stages))).lines
        assert [a.inventory_record_id for a in only.assignments] == records
    for request, fields in (
        ({"stages": ["magic", "priority", "priority"]}, [("stages[0]", "FIELD_INVALID"), ("stages[2]", "DUPLICATE_ITEM")]),
        ({"stages": ["priority"], "strategy": "priority"}, [("stages", "FIELD_INVALID")]),
        (
            {"stages": ["priority"] * 9},
            [("stages", "TOO_MANY_ITEMS"), *((f"stages[{n}]", "DUPLICATE_ITEM") for n in range(1, 8))],
        ),
    ):
        with pytest.raises(WaybillError) as refused:
            await call(pb.SimulateSourcingRequest(lines=lines, **request))
        assert [(f.field, f.reason) for f in refused.value.fields] == fields


async def test_a_simulation_for_the_lowest_freight_names_the_plans_that_are_compared(world: World) -> None:
    await world.stock(("a", "drill", "", 2), ("b", "drill", "", 3))
    call = world.inventory(seller(roles.INVENTORY_READER)).SimulateSourcing
    lines = [pb.SimulatedLine(product_id="drill", quantity=2)]
    answer = await call(pb.SimulateSourcingRequest(lines=lines, stages=["priority", "lowest_freight"]))
    plan, *others = (answer.lines[0], *answer.alternatives)
    assert [[(a.inventory_record_id, a.quantity) for a in p.assignments] for p in (plan, *others)] == [[("a", 2)], [("b", 2)]]
    assert not (await call(pb.SimulateSourcingRequest(lines=lines, stages=["priority"]))).alternatives
    with pytest.raises(WaybillError) as refused:
        await call(pb.SimulateSourcingRequest(lines=lines, stages=["lowest_freight", "priority"]))
    assert [(f.field, f.reason) for f in refused.value.fields] == [("stages", "FIELD_INVALID")]


async def test_all_faults_of_a_simulation_are_said_at_once(world: World) -> None:
    with pytest.raises(WaybillError) as refused:
        await simulate(world, pb.SimulatedLine(quantity=1), pb.SimulatedLine(product_id="drill"), strategy="magic")
    assert sorted((f.field, f.reason) for f in refused.value.fields) == [
        ("lines[0].product_id", "FIELD_REQUIRED"),
        ("lines[1].quantity", "VALUE_OUT_OF_RANGE"),
        ("strategy", "FIELD_INVALID"),
    ]
    world.shop.hidden = {"gone"}
    with pytest.raises(WaybillError) as unknown:
        await simulate(world, pb.SimulatedLine(product_id="gone", quantity=1))
    assert [f.field for f in unknown.value.fields] == ["lines[0].product_id"]
    for lines in ([], [pb.SimulatedLine(product_id="drill", quantity=1)] * 101):
        with pytest.raises(WaybillError) as wrong:
            await simulate(world, *lines)
        assert [f.field for f in wrong.value.fields] == ["lines"]


async def test_a_simulation_of_a_hundred_lines_takes_as_many_statements_as_one_of_one(world: World) -> None:
    await world.stock(*[(f"r{n}", f"p{n}", "", 5) for n in range(100)])
    counts = []
    for size in (1, 100):
        before = world.served.statements
        lines = await simulate(world, *(pb.SimulatedLine(product_id=f"p{n}", quantity=2) for n in range(size)))
        counts.append(world.served.statements - before)
        assert [len(x.assignments) for x in lines] == [1] * size
    assert counts[0] == counts[1]
