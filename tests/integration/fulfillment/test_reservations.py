"""Reserve, confirm, release: the steps of submit, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from libs.errors import WaybillError
from tests.integration.fulfillment.world import World, cents, line, new_key, order, status
from tests.support.principals import seller
from tests.support.problems import about
from waybill.fulfillment.v1 import reservation_service_pb2 as res


async def release(world: World, key: str, attempt: int = 1) -> int:
    answer = await world.reservations().ReleaseReservation(res.ReleaseReservationRequest(order_key=key, attempt=attempt))
    return int(answer.state)


async def test_a_reservation_holds_units_and_a_confirm_allocates_them(world: World) -> None:
    await world.stock(("a", "drill", "", 10))
    key = new_key()
    reserved = await world.reserve(key, line(quantity=4))
    assert reserved.state == res.RESERVATION_STATE_RESERVED
    assert [(a.inventory_record_id, a.quantity) for a in reserved.assignments] == [("a", 4)]
    assert await world.counters("a") == (10, 4, 0, 6)
    await world.check()
    assert [(f.kind, f.values["state"]) for f in world.facts] == [("stock_attempt", "RESERVED")]
    (made,) = await world.confirm(key, "PO1", line(quantity=4))
    assert (made.id, made.supplier_id, status(made), cents(made.total)) == ("PO1-1", "", "OPEN", 4004 + 70 + 999)
    assert await world.counters("a") == (10, 0, 4, 6)


async def test_steps_are_idempotent(world: World) -> None:
    await world.stock(("a", "drill", "", 10))
    key = new_key()
    first = await world.reserve(key, line(quantity=4))
    again = await world.reserve(key, line(quantity=4))
    assert (again.state, list(again.assignments)) == (first.state, list(first.assignments))
    made = await world.confirm(key, "PO1", line(quantity=4))
    assert await world.confirm(key, "PO1", line(quantity=4)) == made
    assert await release(world, key) == res.RESERVATION_STATE_CONFIRMED
    late = await world.reserve(key, line(quantity=4))
    assert late.state == res.RESERVATION_STATE_CONFIRMED
    assert await world.counters("a") == (10, 0, 4, 6)


async def test_a_repeat_that_could_no_longer_be_reserved_is_still_the_first(world: World) -> None:
    await world.stock(("a", "drill", "", 4))
    key = new_key()
    await world.reserve(key, line(quantity=4))
    again = await world.reserve(key, line(quantity=4))
    assert again.state == res.RESERVATION_STATE_RESERVED
    assert not again.problems


async def test_a_release_frees_units_and_refuses_the_late_try(world: World) -> None:
    await world.stock(("a", "drill", "", 4))
    key = new_key()
    await world.reserve(key, line(quantity=4))
    assert await release(world, key) == res.RESERVATION_STATE_RELEASED
    assert await release(world, key) == res.RESERVATION_STATE_RELEASED
    assert await world.counters("a") == (4, 0, 0, 4)
    late = await world.reserve(key, line(quantity=1))
    assert (late.state, late.problems[0].reason) == (res.RESERVATION_STATE_RELEASED, "RESERVATION_RELEASED")


async def test_a_release_of_an_unknown_attempt_is_a_tombstone(world: World) -> None:
    await world.stock(("a", "drill", "", 4))
    key = new_key()
    assert await release(world, key) == res.RESERVATION_STATE_RELEASED
    late = await world.reserve(key, line())
    assert late.problems[0].reason == "RESERVATION_RELEASED"
    with pytest.raises(WaybillError) as refused:
        await world.confirm(key, "PO1", line())
    assert refused.value.reason == "RESERVATION_RELEASED"
    assert await world.counters("a") == (4, 0, 0, 4)
    assert (await world.reserve(key, line(), attempt=2)).state == res.RESERVATION_STATE_RESERVED


async def test_a_shortage_reserves_nothing_and_names_every_line(world: World) -> None:
    await world.stock(("a", "drill", "", 4), ("b", "bit", "", 1))
    refused = await world.reserve(new_key(), line("l1", 3), line("l2", 3), line("l3", 2, "bit"), line("l4", 1, "bit"))
    assert refused.state == res.RESERVATION_STATE_UNSPECIFIED
    assert [(about(p), p.description[:8]) for p in refused.problems] == [
        ("l2", "2 of 3 u"),
        ("l3", "1 of 2 u"),
        ("l4", "1 of 1 u"),
    ]
    assert await world.counters("a") == (4, 0, 0, 4)


async def test_fifty_buyers_of_twenty_units_get_exactly_twenty(world: World) -> None:
    await world.stock(("a", "drill", "", 20))
    keys = [new_key() for _ in range(50)]
    answers = await asyncio.gather(*[world.reserve(key, line()) for key in keys])
    won = [key for key, a in zip(keys, answers, strict=True) if a.state == res.RESERVATION_STATE_RESERVED]
    assert len(won) == 20
    lost = [a for a in answers if a.problems]
    assert len(lost) == 30
    assert all(a.problems[0].reason == "INSUFFICIENT_INVENTORY" and a.problems[0].contended for a in lost)
    await asyncio.gather(*[world.confirm(key, f"PO{n}", line()) for n, key in enumerate(won)])
    assert await world.counters("a") == (20, 0, 20, 0)


async def test_the_same_attempt_twice_at_once_reserves_once(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key = new_key()
    answers = await asyncio.gather(*[world.reserve(key, line(quantity=3)) for _ in range(8)])
    assert {a.state for a in answers} == {res.RESERVATION_STATE_RESERVED}
    assert await world.counters("a") == (9, 3, 0, 6)


async def test_a_plan_is_followed_or_stale(world: World) -> None:
    await world.stock(("a", "drill", "", 3), ("b", "drill", "", 3), ("c", "drill", "", 9))
    plan = await world.reservations().PlanSourcing(res.PlanSourcingRequest(lines=[line(quantity=5)]))
    assert [(x.inventory_record_id, x.quantity) for x in plan.assignments] == [("a", 3), ("b", 2)]
    assert plan.assignments[0].ship_from.city == "Berlin"
    checked = await world.reserve(new_key(), line(quantity=5), plan=plan.assignments, validate_only=True)
    assert (checked.state, len(checked.assignments)) == (res.RESERVATION_STATE_UNSPECIFIED, 2)
    await world.reserve(new_key(), line(quantity=2))
    stale = await world.reserve(new_key(), line(quantity=5), plan=plan.assignments)
    assert [p.reason for p in stale.problems] == ["SHIP_ESTIMATE_STALE"]
    await world.reserve(new_key(), line(quantity=9))
    gone = await world.reserve(new_key(), line(quantity=5), plan=plan.assignments)
    assert [(p.reason, p.contended) for p in gone.problems] == [("INSUFFICIENT_INVENTORY", True)]


async def test_uncounted_products_need_no_record(world: World) -> None:
    free = line(quantity=1_000, track_inventory=False, default_supplier_id="bolt", ship_from_id="dock")
    _, (made,) = await world.placed("PO1", free)
    assert made.supplier_id == "bolt"
    assert made.line_items[0].allocations[0].ship_from_id == "dock"


async def test_an_order_is_split_to_its_suppliers_to_the_cent(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 2), ("b", "drill", "nut", 9))
    lines = [line("l1", 5, default_supplier_id="bolt", supplier_ids=["nut"]), line("l2", 1, "bit", track_inventory=False)]
    _, made = await world.placed("PO1", *lines)
    assert [(o.id, o.supplier_id, [(x.line_item_id, x.quantity) for x in o.line_items]) for o in made] == [
        ("PO1-1", "bolt", [("l1", 2)]),
        ("PO1-2", "nut", [("l1", 3)]),
        ("PO1-3", "", [("l2", 1)]),
    ]
    assert sum(cents(o.total) for o in made) == 1_001 * 6 + 140 + 999


async def test_an_overdue_reservation_asks_and_only_a_refusal_releases(world: World) -> None:
    await world.stock(("a", "drill", "", 5))
    refused, trying, accepted = new_key(), new_key(), new_key()
    for key in (refused, trying, accepted):
        await world.reserve(key, line())
    world.orders.states = {trying: "TRYING", accepted: "ACCEPTED"}
    assert await world.background.expiry.once() == 0
    world.clock.advance(timedelta(minutes=5))
    world.orders.down = True
    assert await world.background.expiry.once() == 0
    assert await world.counters("a") == (5, 3, 0, 2)
    world.orders.down = False
    assert await world.background.expiry.once() == 0
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.expiry.once() == 1
    assert await world.counters("a") == (5, 2, 0, 3)
    await world.confirm(accepted, "PO1", line())


async def test_internal_calls_are_for_services_only(world: World) -> None:
    from waybill.fulfillment.v1 import reservation_service_pb2_grpc as grpc

    stub = world.served.stub(grpc.ReservationServiceStub, seller())
    for call, request in (
        (stub.ReserveStock, res.ReserveStockRequest()),
        (stub.ConfirmReservation, res.ConfirmReservationRequest()),
        (stub.ReleaseReservation, res.ReleaseReservationRequest()),
        (stub.CancelOrder, res.CancelOrderRequest()),
        (stub.PlanSourcing, res.PlanSourcingRequest()),
    ):
        with pytest.raises(WaybillError) as denied:
            await call(request)
        assert denied.value.reason == "SERVICE_ONLY"


async def test_a_bad_demand_is_refused_with_all_violations(world: World) -> None:
    with pytest.raises(WaybillError) as refused:
        await world.reservations().ReserveStock(
            res.ReserveStockRequest(order_key="k", attempt=0, strategy="nearest", lines=[line(quantity=0), line(product="")])
        )
    assert {f.field for f in refused.value.fields} == {
        "attempt",
        "strategy",
        "lines[0].quantity",
        "lines[1].line_item_id",
        "lines[1].product_id",
    }


async def statements(world: World, work) -> int:
    before = world.served.statements
    await work
    return world.served.statements - before


@pytest.mark.parametrize("forward", [True, False])
async def test_reserve_and_confirm_cost_the_same_statements_for_one_line_and_a_thousand(world: World, forward: bool) -> None:
    await world.stock(*[(f"r{n}", f"p{n}", "bolt" if n % 2 else "", 5) for n in range(1_000)])
    few = [line("l0", 1, "p0"), line("l1", 1, "p1", default_supplier_id="bolt")]
    many = [line(f"l{n}", 1, f"p{n}", default_supplier_id="bolt" if n % 2 else "") for n in range(1_000)]
    counts = []
    for id, lines in (("PO1", few), ("PO2", many)):
        key = new_key()
        reserve = await statements(world, world.reserve(key, *lines))
        confirm = await statements(world, world.confirm(key, id, *lines, forward=forward))
        counts.append((reserve, confirm))
    assert counts[0] == counts[1] == (5, 8)


async def test_an_order_is_one_snapshot_of_its_own(world: World) -> None:
    await world.stock(("a", "drill", "", 5))
    key = new_key()
    await world.reserve(key, line())
    with pytest.raises(WaybillError) as refused:
        await world.reservations().ConfirmReservation(
            res.ConfirmReservationRequest(order_key=key, attempt=1, order=order(new_key(), "PO1", line()))
        )
    assert refused.value.fields[0].field == "order.order_key"
