"""Suppliers have a time to answer: what they do not answer goes to others, or back to the seller."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.fulfillment.application.supplier_orders import reject_supplier_order
from tests.integration.fulfillment.test_concurrency import outcomes
from tests.integration.fulfillment.test_supplier_orders import all_of
from tests.integration.fulfillment.world import START, World, accept, line, reject, status
from tests.support.gauges import actions, gauges
from tests.support.principals import supplier
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc

HOUR = timedelta(hours=1)
WANT = line("l1", 2, default_supplier_id="bolt", supplier_ids=["nut"])


async def listed(world: World, **asked: str) -> list[str]:
    answer = await world.supplier_orders().ListSupplierOrders(svc.ListSupplierOrdersRequest(**asked))
    return [o.id for o in answer.supplier_orders]


def by(made: Any) -> timedelta:
    """How long after the start of the test it has to be answered."""
    return made.accept_by.ToDatetime(tzinfo=START.tzinfo) - START


async def test_what_is_not_answered_in_time_is_sourced_again_without_that_supplier(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 9))
    before = actions("fulfillment", "answers", "rejected")
    key, (first,) = await world.placed("PO1", WANT, within=HOUR)
    assert by(first) == HOUR
    world.clock.advance(HOUR - timedelta(seconds=1))
    assert await world.background.answers.once() == 0
    world.clock.advance(timedelta(seconds=1))
    assert await world.background.answers.once() == 1
    gone, second = await all_of(world, key)
    assert (status(gone), gone.reject_comment, gone.moved) == ("REJECTED", "not answered in time", True)
    assert (second.supplier_id, status(second), by(second), second.unclaimed) == ("nut", "OPEN", 2 * HOUR, False)
    assert {o.id for o in world.orders.orders.values()} == {"PO1-1", "PO1-2"}
    assert await world.background.answers.once() == 0
    # Nobody is left who could take it: it is the seller's, who is to be warned until it is accepted.
    world.clock.advance(HOUR)
    assert await world.background.answers.once() == 1
    *_, mine = await all_of(world, key)
    assert (mine.supplier_id, status(mine), mine.unclaimed, mine.HasField("accept_by")) == ("", "OPEN", True, False)
    assert (await gauges(world.app))["waybill_supplier_orders_unclaimed"] == 1
    assert await listed(world, filter="unclaimed = true") == [mine.id]
    world.clock.advance(HOUR)
    assert await world.background.answers.once() == 0
    assert not (await accept(world, mine.id)).unclaimed
    assert await gauges(world.app) == {}
    assert actions("fulfillment", "answers", "rejected") == before + 2


async def test_an_answer_counts_until_the_system_has_rejected(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    for n in range(2):
        await world.placed(f"PO{n}", WANT, within=HOUR)
    world.clock.advance(HOUR)
    assert status(await accept(world, "PO0-1", supplier())) == "ACCEPTED"
    assert await world.background.answers.once() == 1
    assert await outcomes(accept(world, "PO1-1", supplier())) == ["SUPPLIER_ORDER_STATUS_CONFLICT"]
    assert await listed(world, filter="accept_by < '2030-05-01T13:00:01Z'", order_by="accept_by, id") == ["PO0-1", "PO1-1"]


async def test_an_order_without_a_limit_and_one_that_has_units_packed_wait_for_ever(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    _, (free,) = await world.placed("PO1", WANT)
    assert not free.HasField("accept_by")
    await world.placed("PO2", WANT, within=HOUR)
    await world.ship(items=[("PO2-1", "l1", 1)], at=None)
    world.clock.advance(timedelta(days=300))
    assert await world.background.answers.once() == 0


async def test_what_is_held_or_frozen_waits(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 9))
    held, _ = await world.placed("PO1", WANT, within=HOUR)
    frozen, _ = await world.placed("PO2", WANT, within=HOUR)
    calls = world.reservations()
    await calls.SetOrderHold(res.SetOrderHoldRequest(order_key=held, held=True, version=2))
    await calls.FreezeOrder(res.FreezeOrderRequest(order_key=frozen))
    world.clock.advance(HOUR)
    assert await world.background.answers.once() == 0
    await calls.SetOrderHold(res.SetOrderHoldRequest(order_key=held, held=False, version=3))
    await calls.UnfreezeOrder(res.UnfreezeOrderRequest(order_key=frozen))
    assert await world.background.answers.once() == 2


async def test_a_later_forward_and_units_that_join_give_the_whole_time(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "drill", "nut", 9), ("c", "bit", "nut", 9))
    bits = line("l2", 1, "bit", default_supplier_id="nut")
    key, (implicit,) = await world.placed("PO1", WANT, bits, within=HOUR, forward=False)
    assert not implicit.HasField("accept_by")
    world.clock.advance(timedelta(minutes=30))
    _, bolt, nut = (await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))).supplier_orders
    assert [by(o) for o in (bolt, nut)] == [timedelta(minutes=90)] * 2
    world.clock.advance(timedelta(minutes=30))
    await reject(world, bolt.id, supplier())
    joined = await world.supplier_order(nut.id)
    assert (len(joined.line_items), by(joined)) == (2, timedelta(minutes=120))


async def test_the_system_and_the_supplier_never_both_decide(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 99), ("b", "drill", "nut", 99))
    for n in range(6):
        await world.placed(f"PO{n}", WANT, within=HOUR)
    world.clock.advance(HOUR)
    other = world.another()
    late, *reasons = await outcomes(
        world.background.answers.once(), *[accept(world, f"PO{n}-1", supplier()) for n in range(6)], other.answers.once()
    )
    assert (late, reasons.pop()) == ("", "")
    for n, reason in enumerate(reasons):
        decided = status(await world.supplier_order(f"PO{n}-1"))
        assert (decided, reason) in (("ACCEPTED", ""), ("REJECTED", "SUPPLIER_ORDER_STATUS_CONFLICT"))
        assert len(await listed(world, filter=f'order_id = "PO{n}"')) == (1 if decided == "ACCEPTED" else 2)


async def test_one_that_cannot_be_rejected_keeps_no_other_waiting_and_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.stock(("a", "drill", "bolt", 9))
    for n in range(2):
        await world.placed(f"PO{n}", WANT, within=HOUR)
    world.clock.advance(HOUR)
    sound: Any = reject_supplier_order.check_rejectable

    def check(order: Any) -> Any:
        if order.id == "PO0-1":
            raise RuntimeError("no one knows why")
        return sound(order)

    monkeypatch.setattr(reject_supplier_order, "check_rejectable", check)
    assert await world.background.answers.once() == 1
    await world.check()
    stated = [f.values for f in world.facts if f.kind == "answer"]
    assert stated == [{"id": "PO0-1", "failures": "1", "failure": "RuntimeError"}]
    monkeypatch.undo()
    assert await world.background.answers.once() == 0
    world.clock.advance(timedelta(minutes=1))
    assert await world.background.answers.once() == 1
