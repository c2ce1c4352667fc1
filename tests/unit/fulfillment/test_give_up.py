"""What is open is given up: what freezes, what is canceled, and what it was worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.errors import WaybillError
from libs.ids import SequentialIds
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.stock.ledger import summed_by_record
from services.fulfillment.domain.supplier_orders.actions.give_up import give_up, stop
from services.fulfillment.domain.supplier_orders.actions.part import parted
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.supplier_order import SelectionItem, ShipSelection, SupplierOrder
from services.fulfillment.domain.supplier_orders.worth import Amounts, canceled, given_up, shipped
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, order_line, snapshot, stock, taken

CENT = 10_000


def estimate(id: str, cost: int, tax: int, *items: tuple[str, int], supplier: str = "bolt") -> ShipSelection:
    return ShipSelection(id, "m", "Ground", "ups", cost, tax, False, tuple(SelectionItem(i, n, supplier) for i, n in items))


def moved(order: SupplierOrder, units: int, line_id: str = "l1", leaves: bool = True) -> SupplierOrder:
    """The supplier order with units packed on a shipment, which has left if `leaves`."""
    loading = Loading([order])
    items = loading.pack([Wanted("shipment.items[0]", order.id, line_id, units)], "shipment.items")
    if leaves:
        loading.leave(items, "s1")
    assert not loading.refusals
    return loading.touched_orders(NOW)[0]


def given_up_order(order: SupplierOrder) -> SupplierOrder:
    (frozen,) = stop([order], NOW).changed
    (after,) = give_up([frozen], CAUSE, NOW).changed
    return after


def two_suppliers() -> tuple[SupplierOrder, SupplierOrder]:
    bolt, nut = confirmed(
        snapshot(
            order_line("l1", 5),
            order_line("l2", 2),
            shipping=(estimate("e1", 500 * CENT, 40 * CENT, ("l1", 5)), estimate("e2", 300 * CENT, 0, ("l2", 2), supplier="nut")),
        ),
        taken("l1", 5, "bolt", "a"),
        taken("l2", 2, "nut", "b"),
    ).created
    return bolt, nut


def test_what_is_open_freezes_and_what_has_shipped_stays() -> None:
    bolt, nut = two_suppliers()
    part = moved(bolt, 2)
    whole = moved(nut, 2, "l2")
    change = stop([part, whole], NOW)
    assert [(o.id, o.status, o.former_status, o.version) for o in change.changed] == [
        (part.id, "FROZEN", "ACCEPTED", part.version + 1)
    ]


def test_what_is_frozen_is_neither_packed_nor_leaves() -> None:
    order, _ = two_suppliers()
    (frozen,) = stop([moved(order, 1)], NOW).changed
    loading = Loading([frozen])
    loading.pack([Wanted("shipment.items[0]", frozen.id, "l1", 1)], "shipment.items")
    assert [r.reason for r in loading.refusals] == ["SUPPLIER_ORDER_STATUS_CONFLICT"]


@pytest.mark.parametrize(("shipped", "reason"), [(0, "NOTHING_SHIPPED"), (5, "NOTHING_OPEN")])
def test_it_needs_something_open_and_something_shipped(shipped: int, reason: str) -> None:
    (order,) = confirmed(snapshot(order_line("l1", 5)), taken("l1", 5, "bolt", "a")).created
    with pytest.raises(WaybillError) as refused:
        stop([moved(order, shipped) if shipped else order], NOW)
    assert (refused.value.reason, refused.value.metadata) == (reason, {"order": "PO1"})


def test_open_units_are_canceled_packed_ones_too_and_their_stock_is_free() -> None:
    bolt, nut = two_suppliers()
    packed = moved(moved(bolt, 2), 1, leaves=False)
    frozen = stop([packed, nut], NOW).changed
    change = give_up(frozen, CAUSE, NOW)
    done, gone = change.changed
    line = done.lines[0]
    assert (done.status, done.former_status, done.complete_time) == ("COMPLETED", None, NOW)
    assert (line.shipped, line.packed, line.canceled, line.open) == (2, 0, 3, 0)
    assert [(a.quantity, a.packed, a.shipped) for a in line.allocations] == [(2, 0, 2)]
    assert (gone.status, gone.cancel_time, gone.lines[0].canceled) == ("CANCELED", NOW, 2)
    assert sorted(e.allocated for e in summed_by_record(change.movements).values()) == [-3, -2]
    assert all(e.on_hand == 0 for e in summed_by_record(change.movements).values())


def test_a_parcel_whose_units_were_given_up_can_no_longer_leave() -> None:
    order, _ = two_suppliers()
    loading = Loading([moved(order, 1)])
    items = loading.pack([Wanted("shipment.items[0]", order.id, "l1", 2)], "shipment.items")
    (packed,) = loading.touched_orders(NOW)
    late = Loading([given_up_order(packed)])
    late.check_leaving(items, "shipment.ship_time")
    assert [(r.reason, r.metadata["open"]) for r in late.refusals] == [("SHIPMENT_EXCEEDS_OPEN", "0")]


def test_what_needs_no_shipment_was_delivered_and_is_kept() -> None:
    order = confirmed(
        snapshot(order_line("l1", 2), order_line("l2", 3, shippable=False)),
        taken("l1", 2, "bolt", "a"),
        taken("l2", 3, "bolt", "b"),
    ).created[0]
    after = given_up_order(order)
    assert (after.status, [(line.shipped, line.canceled) for line in after.lines]) == ("COMPLETED", [(0, 2), (3, 0)])
    assert canceled(after).subtotal == after.lines[0].subtotal


def test_shipping_is_given_back_when_nothing_of_its_estimate_has_left() -> None:
    both = (estimate("e1", 500 * CENT, 40 * CENT, ("l1", 3)), estimate("e2", 300 * CENT, 24 * CENT, ("l1", 2)))
    (order,) = confirmed(snapshot(order_line("l1", 5), shipping=both), taken("l1", 5, "bolt", "a")).created
    for left, cost, tax in ((1, 300, 24), (3, 300, 24), (4, 0, 0)):
        lost = given_up([moved(order, left)])
        assert (lost.shipping_cost, lost.tax) == (cost * CENT, tax * CENT)
    assert given_up([order]).total == order.total


def test_tax_that_freight_includes_is_given_back_with_it() -> None:
    freight = replace(estimate("e1", 119 * CENT, 0, ("l1", 5)), included_tax=19 * CENT)
    (order,) = confirmed(snapshot(order_line("l1", 5), shipping=(freight,)), taken("l1", 5, "bolt", "a")).created
    assert given_up([order]).included_tax == order.included_tax == 19 * CENT
    assert given_up([moved(order, 1)]).included_tax == 0


def test_amounts_that_were_set_for_the_whole_order_are_given_back_in_the_proportion_of_their_parts() -> None:
    order, _ = two_suppliers()
    set_by_hand = replace(order, tax=100 * CENT, shipping_cost=700 * CENT)
    assert given_up([moved(set_by_hand, 1)]).shipping_cost == 0
    nothing_left = given_up([set_by_hand])
    assert (nothing_left.shipping_cost, nothing_left.tax) == (700 * CENT, 100 * CENT)


def test_freight_that_no_method_was_chosen_for_is_due_with_the_first_shipment_and_not_with_what_needs_none() -> None:
    manual = snapshot(order_line("l1", 2), order_line("l2", 3, shippable=False), shipping_cost=500 * CENT, tax=40 * CENT)
    order = confirmed(manual, taken("l1", 2, "bolt", "a"), taken("l2", 3, "bolt", "b")).created[0]
    assert (shipped(order), given_up([order]).total) == (order.lines[1].subtotal, order.lines[0].subtotal + 540 * CENT)
    assert shipped(moved(order, 1)) == order.total - order.lines[0].subtotal // 2


def test_such_freight_is_of_those_suppliers_who_ship_and_stays_where_one_of_its_units_does() -> None:
    manual = snapshot(order_line("l1", 4), order_line("l2", 1, shippable=False), shipping_cost=500 * CENT)
    bolt, nut = confirmed(manual, taken("l1", 4, "bolt", "a"), taken("l2", 1, "nut", "b")).created
    assert (bolt.shipping_cost, nut.shipping_cost) == (500 * CENT, 0)
    sent = moved(bolt, 1)
    kept, leaving = parted(sent, {"l1": 2})
    assert (kept.shipping_cost, leaving.shipping_cost) == (500 * CENT, 0)
    assert shipped(kept) == shipped(sent)
    assert [part.shipping_cost for part in parted(bolt)] == [0, 500 * CENT]


def test_such_freight_that_is_due_stays_where_a_unit_has_left_when_the_order_is_forwarded() -> None:
    """Nothing here needs a parcel: what is on hand is delivered at once, and the freight is due with it."""
    manual = snapshot(order_line("l1", 2, shippable=False), shipping_cost=42 * CENT)
    there = [stock("a", on_hand=0), stock("b", on_hand=1)]
    (implicit,) = confirmed(manual, taken("l1", 1, "bolt", "a"), taken("l1", 1, "nut", "b"), forward=False, stocks=there).created
    bolt, nut = forward([implicit], {}, {}, SequentialIds().key, NOW).created
    assert (bolt.shipping_cost, nut.shipping_cost) == (0, 42 * CENT)
    assert shipped(bolt) + shipped(nut) == shipped(implicit) == 542 * CENT


@given(
    quantity=st.integers(2, 40), subtotal=st.integers(0, 100_000), part=st.floats(0, 1), tax=st.integers(0, 9_999), data=st.data()
)
def test_what_is_due_and_what_is_given_back_are_what_was_sold_and_never_below_zero(
    quantity: int, subtotal: int, part: float, tax: int, data: st.DataObject
) -> None:
    discount = int(subtotal * part)
    shipped = data.draw(st.integers(1, quantity - 1))
    # What chosen options add once to the line is part of the subtotal, and of no unit's price.
    unit_price = data.draw(st.integers(0, subtotal // quantity)) * CENT
    included = data.draw(st.integers(0, subtotal - discount)) * CENT
    amounts = {"discount": discount * CENT, "tax": tax * CENT, "included_tax": included}
    (order,) = confirmed(
        snapshot(order_line("l1", quantity, subtotal * CENT, unit_price=unit_price, **amounts)),
        taken("l1", quantity, "bolt", "a"),
    ).created
    before = moved(order, shipped)
    promised = given_up([before])
    after = given_up_order(before)
    assert canceled(before) == Amounts()
    assert canceled(after) == promised == given_up([after])
    parts = (promised.subtotal, promised.discount, promised.tax, promised.included_tax)
    whole = (order.subtotal, order.discount, order.tax, order.included_tax)
    assert all(0 <= a <= b for a, b in zip(parts, whole, strict=True))
    assert promised.discount <= promised.subtotal
    assert promised.included_tax <= promised.subtotal - promised.discount
    assert order.included_tax - promised.included_tax <= order.total - order.tax - (promised.total - promised.tax)
    assert order.discount - promised.discount <= order.subtotal - promised.subtotal


@given(
    quantity=st.integers(1, 40),
    subtotal=st.integers(0, 100_000),
    part=st.floats(0, 1),
    tax=st.integers(0, 9_999),
    freight=st.integers(0, 5_000),
    data=st.data(),
)
def test_what_ships_is_due_unit_by_unit_and_with_what_is_given_back_it_is_what_was_sold(
    quantity: int, subtotal: int, part: float, tax: int, freight: int, data: st.DataObject
) -> None:
    line = order_line("l1", quantity, subtotal * CENT, discount=int(subtotal * part) * CENT, tax=tax * CENT)
    (order,) = confirmed(
        snapshot(line, order_line("l2", 3), shipping=(estimate("e1", freight * CENT, CENT, ("l1", quantity), ("l2", 3)),)),
        taken("l1", quantity, "bolt", "a"),
        taken("l2", 3, "bolt", "b"),
    ).created
    assert shipped(order) == 0
    due, left = 0, {"l1": quantity, "l2": 3}
    for line_id, most in data.draw(st.lists(st.tuples(st.sampled_from(["l1", "l2"]), st.integers(1, quantity)), max_size=6)):
        if units := min(most, left[line_id]):
            order = moved(order, units, line_id)
            left[line_id] -= units
            assert due <= shipped(order) <= order.total
            due = shipped(order)
        assert due + given_up([order]).total == order.total
    if due and any(left.values()):
        after = given_up_order(order)
        assert shipped(after) == due == after.total - canceled(after).total
    elif due:
        assert due == order.total
