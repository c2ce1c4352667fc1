"""Units moved by hand: nothing is lost, and what has to stay stays."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from libs.ids import SequentialIds
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.stock.ledger import summed_by_record
from services.fulfillment.domain.supplier_orders.actions.move_units import (
    Move,
    MovedUnits,
    check_move,
    move_units,
    parting,
    placed,
)
from services.fulfillment.domain.supplier_orders.actions.new_homes import Leaving
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, line, order_line, snapshot, stock, taken


@given(
    quantity=st.integers(1, 9),
    stocked=st.integers(0, 9),
    packed=st.integers(0, 9),
    wanted=st.integers(1, 9),
    there=st.integers(0, 9),
    target=st.sampled_from(["", "nut"]),
    cents=st.integers(0, 999),
)
def test_units_money_and_stock_are_kept_whatever_is_moved(
    quantity: int, stocked: int, packed: int, wanted: int, there: int, target: str, cents: int
) -> None:
    ids = SequentialIds()
    held = min(stocked, quantity)
    reserved = [taken("l1", held, "bolt", "a")] if held else [taken("l1", quantity, "bolt")]
    tenth = cents // 10 * 10_000
    sold = order_line("l1", quantity, cents * 10_000, tax=70_000, discount=tenth, included_tax=tenth)
    order = next(o for o in confirmed(snapshot(sold, shipping_cost=330_000), *reserved, ids=ids).created if o.supplier_id)
    (whole,) = order.lines
    first, *rest = whole.allocations
    out = min(packed, first.quantity)
    order = replace(order, lines=(replace(whole, packed=out, allocations=(replace(first, packed=out), *rest)),))
    demand = {"l1": line("l1", quantity, default_supplier_id="bolt")}
    move = Move([MovedUnits("units[0]", "l1", wanted)], target, {"drill"}, demand, Strategy.DEFAULT_SUPPLIER)
    exceeds = wanted > order.lines[0].unpacked
    assert [r.reason for r in check_move(order, move)] == ["MOVE_EXCEEDS_OPEN"] * exceeds
    if exceeds:
        return
    kept, units = parting(order, move)
    stocks = [stock("a", on_hand=9, supplier="bolt", allocated=held), stock("b", on_hand=there, supplier=target)]
    leaving = Leaving(order, units, [order], stocks, CAUSE, {})
    found, short = placed(move, leaving)
    assert bool(short) is (target == "nut" and there < wanted)
    if short:
        return
    left, homes = move_units(kept, leaving, found, ids.key, NOW)
    (made,) = homes.created
    assert left.total + made.total == order.total
    assert min(left.subtotal, left.discount, left.tax, left.shipping_cost, made.subtotal, made.discount, made.tax) >= 0
    assert left.included_tax + made.included_tax == order.included_tax
    assert all(0 <= x.included_tax <= x.subtotal - x.discount for x in (*left.lines, *made.lines))
    assert (made.lines[0].quantity, sum(x.quantity for x in left.lines)) == (wanted, order.lines[0].quantity - wanted)
    assert sum(x.packed for x in left.lines) == out
    assert made.lines[0].unallocated == max(0, wanted - there)
    freed = sum(a.quantity for a in whole.allocations) - sum(a.quantity for x in left.lines for a in x.allocations)
    moved = {key: effect.allocated for key, effect in summed_by_record(homes.movements).items()}
    assert moved.get(stocks[0].key, 0) == (-freed if held else 0)
    assert moved.get(stocks[1].key, 0) == min(wanted, there)


def test_what_is_not_counted_leaves_from_nowhere_that_is_the_former_suppliers() -> None:
    (order,) = confirmed(snapshot(order_line("l1", 2)), taken("l1", 2, "bolt")).created
    uncounted = line("l1", 2, default_supplier_id="bolt", ship_from_id="bolts-dock", track_inventory=False)
    move = Move([MovedUnits("units[0]", "l1", 1)], "nut", {"drill"}, {"l1": uncounted}, Strategy.DEFAULT_SUPPLIER)
    _, units = parting(order, move)
    found, short = placed(move, Leaving(order, units, [order], [], CAUSE, {}))
    assert [(a.supplier_id, a.ship_from_id, a.quantity) for a in found] == [("nut", "", 1)]
    assert not short
