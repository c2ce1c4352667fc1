"""Calls that meet: whoever loses obeys, and nothing is counted twice."""

from __future__ import annotations

import asyncio
from typing import Any

from libs.errors import WaybillError
from tests.integration.fulfillment.world import World, line, new_key, order, status
from waybill.fulfillment.v1 import reservation_service_pb2 as res


async def outcomes(*calls: Any) -> list[str]:
    """The reason of each refusal, or an empty text."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, WaybillError):
            raise answer
    return [a.reason if isinstance(a, WaybillError) else "" for a in answers]


async def test_orders_over_the_same_products_in_any_order_do_not_deadlock(world: World) -> None:
    products = [f"p{n}" for n in range(8)]
    await world.stock(*[(f"r{p}", p, "", 1_000) for p in products])

    async def place(n: int) -> None:
        mine = products[n % 8 :] + products[: n % 8]
        lines = [line(f"l{i}", 1, p) for i, p in enumerate(mine if n % 2 else reversed(mine))]
        key = new_key()
        await world.reserve(key, *lines)
        if n % 3:
            await world.confirm(key, f"PO{n}", *lines)
        else:
            await world.reservations().ReleaseReservation(res.ReleaseReservationRequest(order_key=key, attempt=1))

    await asyncio.gather(*[place(n) for n in range(24)])
    assert [await world.counters(f"r{p}") for p in products] == [(1_000, 0, 16, 984)] * 8


async def test_a_late_try_and_its_release_leave_nothing_whoever_comes_first(world: World) -> None:
    await world.stock(("a", "drill", "", 50))
    keys = [new_key() for _ in range(20)]
    release = world.reservations().ReleaseReservation
    await asyncio.gather(
        *[world.reserve(key, line()) for key in keys],
        *[release(res.ReleaseReservationRequest(order_key=key, attempt=1)) for key in keys],
    )
    await asyncio.gather(*[release(res.ReleaseReservationRequest(order_key=key, attempt=1)) for key in keys])
    assert await world.counters("a") == (50, 0, 0, 50)


async def test_the_last_unit_ships_once(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line(quantity=3))
    reasons = await outcomes(*[world.ship(items=[("PO1-1", "l1", 1)]) for _ in range(8)])
    assert sorted(reasons) == [""] * 3 + ["SHIPMENT_EXCEEDS_OPEN"] * 5
    assert await world.counters("a") == (6, 0, 0, 6)


async def test_a_packed_shipment_leaves_once(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    await world.placed("PO1", line(quantity=3))
    packed = await world.ship(items=[("PO1-1", "l1", 2)], at=None)
    assert await outcomes(*[world.send(packed.id) for _ in range(4)]) == [""] * 4
    assert await world.counters("a") == (7, 0, 1, 6)


async def test_a_freeze_and_a_shipment_never_both_succeed(world: World) -> None:
    await world.stock(("a", "drill", "", 99))
    for n in range(8):
        key, _ = await world.placed(f"PO{n}", line())
        freeze = world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
        calls = [world.ship(items=[(f"PO{n}-1", "l1", 1)]), freeze]
        reasons = await outcomes(*(calls if n % 2 else reversed(calls)))
        assert sorted(reasons) in (["", "ORDER_ALREADY_SHIPPED"], ["", "SUPPLIER_ORDER_STATUS_CONFLICT"])


async def test_a_forward_and_a_shipment_never_both_succeed(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 99))
    for n in range(8):
        key, _ = await world.placed(f"PO{n}", line(default_supplier_id="bolt"), forward=False)
        forward = world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
        calls = [world.ship(items=[(f"PO{n}-1", "l1", 1)]), forward]
        reasons = await outcomes(*(calls if n % 2 else reversed(calls)))
        assert sorted(reasons)[0] == ""
        assert sorted(reasons)[1] in ("ORDER_ALREADY_SHIPPED", "SUPPLIER_ORDER_STATUS_CONFLICT", "SHIPMENT_EXCEEDS_OPEN")


async def test_a_cancel_and_a_confirm_end_canceled_in_any_order(world: World) -> None:
    await world.stock(("a", "drill", "", 99))
    for n in range(8):
        key = new_key()
        await world.reserve(key, line(quantity=2))
        confirm = world.reservations().ConfirmReservation(
            res.ConfirmReservationRequest(order_key=key, attempt=1, order=order(key, f"PO{n}", line(quantity=2)))
        )
        cancel = world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))
        calls = [confirm, cancel]
        assert await outcomes(*(calls if n % 2 else reversed(calls))) == ["", ""]
        assert status(await world.supplier_order(f"PO{n}-1")) == "CANCELED"
    assert await world.counters("a") == (99, 0, 0, 99)


async def test_two_forwards_and_a_confirm_again_make_one_split(world: World) -> None:
    await world.stock(("a", "drill", "bolt", 9), ("b", "bit", "nut", 9))
    lines = [line("l1", default_supplier_id="bolt"), line("l2", 1, "bit", default_supplier_id="nut")]
    key, _ = await world.placed("PO1", *lines, forward=False)
    request = res.ForwardOrderRequest(order_key=key)
    answers = await asyncio.gather(*[world.reservations().ForwardOrder(request) for _ in range(6)])
    assert {tuple(o.id for o in a.supplier_orders) for a in answers} == {("PO1-1", "PO1-2", "PO1-3")}
