"""Shipping, freezing, canceling, rejecting: units and stock are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libs.errors import WaybillError
from libs.ids import SequentialIds
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.sourcing.model import Line, Stock, Strategy
from services.fulfillment.domain.stock.ledger import Effect, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, accept, check_rejectable, reject
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze, unfreeze
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, line, order_line, snapshot, stock, taken


def one_order(*reserved, quantity: int = 5, **values) -> SupplierOrder:
    (order,) = confirmed(snapshot(order_line("l1", quantity, **values)), *reserved).created
    return order


def want(quantity: int, line_id: str = "l1", order: str = "PO1-1", record: str = "") -> Wanted:
    return Wanted("shipment.items[0]", order, line_id, quantity, record)


def shipped(order: SupplierOrder, *wanted: Wanted) -> SupplierOrder:
    loading = Loading([order])
    loading.leave(loading.pack(wanted, "shipment.items"), "s1")
    assert not loading.refusals
    (after,) = loading.touched_orders(NOW)
    return after


def test_shipping_in_parts_accepts_and_then_completes() -> None:
    order = one_order(taken("l1", 5, "bolt", "a"))
    part = shipped(order, want(2))
    assert (part.status, part.accept_time, part.lines[0].open, part.complete_time) == ("ACCEPTED", NOW, 3, None)
    whole = shipped(part, want(3))
    assert (whole.status, whole.complete_time, whole.version) == ("COMPLETED", NOW, 3)


def test_items_of_one_shipment_see_what_earlier_items_took() -> None:
    loading = Loading([one_order(taken("l1", 5, "bolt", "a"))])
    loading.pack([want(3), want(3)], "shipment.items")
    (refusal,) = loading.refusals
    assert (refusal.reason, refusal.metadata) == (
        "SHIPMENT_EXCEEDS_OPEN",
        {"supplier_order": "PO1-1", "line_item": "l1", "open": "2"},
    )


def test_all_violations_of_a_shipment_are_reported_at_once() -> None:
    order = one_order(taken("l1", 5, "bolt", "a"))
    service = replace(order.lines[0], line_item_id="l2", shippable=False)
    frozen = replace(order, status=SupplierOrderStatus.FROZEN, lines=(order.lines[0], service))
    loading = Loading([frozen])
    loading.pack([want(9), want(1, "l2"), want(1, "l3"), want(1, order="PO9-1"), want(1, record="b")], "x")
    assert [r.reason for r in loading.refusals] == [
        "SUPPLIER_ORDER_NOT_FOUND",
        "SUPPLIER_ORDER_STATUS_CONFLICT",
        "SHIPMENT_EXCEEDS_OPEN",
        "SHIPMENT_LINE_NOT_SHIPPABLE",
        "SHIPMENT_LINE_NOT_FOUND",
        "SHIPMENT_RECORD_NOT_ALLOCATED",
    ]


def test_units_are_drawn_from_the_allocations_in_turn_or_from_the_named_one() -> None:
    order = one_order(taken("l1", 2, "bolt", "a"), taken("l1", 3, "bolt", "b"))
    after = shipped(order, want(3))
    assert [a.shipped for a in after.lines[0].allocations] == [2, 1]
    named = shipped(order, want(3, record="b"))
    assert [a.shipped for a in named.lines[0].allocations] == [0, 3]


def test_a_shipment_of_more_than_is_on_hand_is_a_shortage() -> None:
    loading = Loading([one_order(taken("l1", 5, "bolt", "a"))])
    movements = loading.leave(loading.pack([want(5)], "x"), "s1")
    loading.check_stock(movements, [stock("a", on_hand=4, allocated=5)], {"s1": "x"})
    assert [(r.field, r.reason) for r in loading.refusals] == [("x", "STOCK_SHORTAGE")]


def test_a_frozen_order_gets_its_former_status_back() -> None:
    accepted = accept(one_order(taken("l1", 5, "bolt", "a")), NOW)
    (frozen,) = freeze([accepted], NOW).changed
    assert frozen.status == "FROZEN"
    (again,) = unfreeze([frozen], NOW).changed
    assert (again.status, again.former_status) == ("ACCEPTED", None)
    assert freeze([frozen], NOW).changed == ()


def test_an_order_with_a_shipped_unit_is_not_frozen() -> None:
    part = shipped(one_order(taken("l1", 5, "bolt", "a")), want(1))
    with pytest.raises(WaybillError) as refused:
        freeze([part], NOW)
    assert refused.value.reason == "ORDER_ALREADY_SHIPPED"


def mixed(*, stocks: list[Stock] | None = None) -> Change:
    """Three units to ship and two that need no shipment, of one record."""
    lines = (order_line("l1", 3, 30_000_000), order_line("l2", 2, 20_000_000, shippable=False))
    return confirmed(snapshot(*lines), taken("l1", 3, "bolt", "a"), taken("l2", 2, "bolt", "a"), stocks=stocks)


def units(order: SupplierOrder) -> list[tuple[int, int, int]]:
    return [(x.quantity, x.shipped, x.canceled) for x in order.lines]


def test_a_cancel_of_what_has_not_left_frees_all_stock() -> None:
    change = mixed(stocks=[])
    (order,) = change.created
    ended = cancel([order], CAUSE, NOW)
    (after,) = ended.changed
    assert (after.status, units(after)) == ("CANCELED", [(3, 0, 3), (2, 0, 2)])
    (effect,) = summed_by_record([*change.movements, *ended.movements]).values()
    # Nothing is left but the end of the reservation.
    assert (effect.on_hand, effect.allocated, effect.reserved) == (0, 0, -5)
    assert cancel([after], CAUSE, NOW).changed == ()


def test_delivered_units_keep_an_order_from_being_frozen_and_never_come_back() -> None:
    change = mixed()
    (order,) = change.created
    assert (order.status, units(order)) == ("OPEN", [(3, 0, 0), (2, 2, 0)])
    with pytest.raises(WaybillError) as refused:
        freeze([order], NOW)
    assert refused.value.reason == "ORDER_ALREADY_SHIPPED"
    ended = cancel([order], CAUSE, NOW)
    (after,) = ended.changed
    assert (after.status, units(after)) == ("COMPLETED", [(3, 0, 3), (2, 2, 0)])
    (effect,) = summed_by_record([*change.movements, *ended.movements]).values()
    assert (effect.on_hand, effect.allocated) == (-2, 0)


def test_a_rejection_leaves_delivered_units_where_they_are() -> None:
    (order,) = mixed().created
    demand = [line("l1", 3, default_supplier_id="bolt"), line("l2", 2, default_supplier_id="bolt", shippable=False)]
    stocks = [stock("a", on_hand=8, supplier="bolt", allocated=3)]
    change = rejected(order, [], stocks, *demand, ids=SequentialIds())
    (kept,), (made,) = change.changed, change.created
    assert (kept.status, units(kept), kept.total, kept.moved) == ("COMPLETED", [(0, 0, 0), (2, 2, 0)], 20_000_000, False)
    assert (made.supplier_id, units(made), made.total) == ("", [(3, 0, 0)], 30_000_000)
    assert summed_by_record(change.movements)[stocks[0].key] == Effect(allocated=-3)


def test_an_accepted_order_is_rejected_for_what_is_not_packed() -> None:
    accepted = accept(one_order(taken("l1", 5, "bolt", "a"), discount=1_000_000, tax=700_000), NOW)
    loading = Loading([accepted])
    loading.leave(loading.pack([want(1)], "x"), "s1")
    loading.pack([want(1)], "x")
    (order,) = loading.touched_orders(NOW)
    change = rejected(order, [], [stock("b", supplier="nut")], line("l1", 5, supplier_ids=("bolt", "nut")), ids=SequentialIds())
    (kept,), (made,) = change.changed, change.created
    assert (kept.status, units(kept), kept.lines[0].packed, kept.reject_comment) == ("ACCEPTED", [(2, 1, 0)], 1, "no time")
    assert (made.supplier_id, units(made)) == ("nut", [(3, 0, 0)])
    assert [(o.subtotal, o.discount, o.tax) for o in (kept, made)] == [
        (4_000_000, 400_000, 280_000),
        (6_000_000, 600_000, 420_000),
    ]
    with pytest.raises(WaybillError) as refused:
        check_rejectable(kept)
    assert refused.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    back = rejected(made, [kept], [stock("a", supplier="bolt")], line("l1", 5, supplier_ids=("bolt", "nut")), ids=SequentialIds())
    assert [o.supplier_id for o in back.created] == [""], "who has said no is not asked again"


def test_units_that_a_count_took_away_stay_open_until_stock_comes() -> None:
    lines = (order_line("l1", 3), order_line("l2", 2, shippable=False))
    reserved = (taken("l1", 3, "bolt", "a"), taken("l2", 2, "bolt", "a"))
    change = confirmed(snapshot(*lines), *reserved, stocks=[stock("a", on_hand=1, reserved=5)])
    (order,) = change.created
    assert (order.status, units(order), order.lines[1].packable) == ("OPEN", [(3, 0, 0), (2, 1, 0)], 0)
    assert summed_by_record(change.movements)[stock("a").key] == Effect(on_hand=-1, reserved=-5, allocated=4)
    later = Delivery([stock("a", on_hand=7, allocated=4)])
    (after,) = later.of([order])
    assert (units(after), [m.on_hand for m in later.movements]) == ([(3, 0, 0), (2, 2, 0)], [-1])
    for waits in (replace(order, held=True), replace(order, status=SupplierOrderStatus.FROZEN)):
        assert Delivery([stock("a")]).of([waits]) == (waits,)


def test_units_that_no_stock_is_promised_for_are_delivered_on_a_shipment() -> None:
    service = order_line("l1", 3, shippable=False)
    (order,) = confirmed(snapshot(service), taken("l1", 2, "bolt", "a"), forward=False, stocks=[stock("a", on_hand=1)]).created
    assert (units(order), order.lines[0].packable) == ([(3, 1, 0)], 1)
    after = shipped(order, want(1))
    assert (units(after), after.lines[0].unallocated, after.has_left()) == ([(3, 2, 0)], 0, True)
    more = Loading([after])
    more.pack([want(1)], "x")
    assert [r.reason for r in more.refusals] == ["SHIPMENT_LINE_NOT_SHIPPABLE"]


def test_an_order_of_services_alone_is_completed_when_it_is_confirmed() -> None:
    (order,) = confirmed(snapshot(order_line("l1", 2, shippable=False)), taken("l1", 2, "bolt")).created
    assert (order.status, order.complete_time) == ("COMPLETED", NOW)


def test_a_packed_unit_keeps_an_order_from_being_forwarded() -> None:
    (implicit,) = confirmed(snapshot(order_line("l1", 2)), taken("l1", 2, "bolt"), forward=False).created
    loading = Loading([implicit])
    loading.pack([want(1)], "x")
    (packed,) = loading.touched_orders(NOW)
    with pytest.raises(WaybillError) as refused:
        forward([packed], {}, {}, SequentialIds().key, NOW)
    assert refused.value.reason == "ORDER_ALREADY_SHIPPED"


def rejected(order: SupplierOrder, others: list[SupplierOrder], stocks: list[Stock], *demand: Line, ids: SequentialIds):
    return reject(
        Rejection(
            order, "no time", [order, *others], {d.line_item_id: d for d in demand}, stocks, Strategy.DEFAULT_SUPPLIER, CAUSE, {}
        ),
        ids.key,
        NOW,
    )


def test_rejected_units_go_to_another_supplier_and_the_rest_to_the_seller() -> None:
    ids = SequentialIds()
    order_data = snapshot(order_line("l1", 5, 10_000_000, tax=1_000_000), shipping_cost=330_000)
    (order,) = confirmed(order_data, taken("l1", 5, "bolt", "a"), ids=ids).created
    stocks = [stock("a", on_hand=9, supplier="bolt", allocated=5), stock("b", on_hand=3, supplier="nut")]
    change = rejected(order, [], stocks, line("l1", 5, default_supplier_id="bolt", supplier_ids=("nut",)), ids=ids)
    (gone,) = change.changed
    assert (gone.status, gone.moved, gone.reject_comment, gone.total) == ("REJECTED", True, "no time", 0)
    assert [(o.id, o.supplier_id, o.lines[0].quantity, o.lines[0].unallocated) for o in change.created] == [
        ("PO1-2", "nut", 3, 0),
        ("PO1-3", "", 2, 2),
    ]
    assert sum(o.total for o in change.created) == order.total
    assert {k: e.allocated for k, e in summed_by_record(change.movements).items()} == {stocks[0].key: -5, stocks[1].key: 3}


def test_rejected_units_join_the_order_that_the_supplier_has_already() -> None:
    ids = SequentialIds()
    both = (order_line("l1", 2), order_line("l2", 2))
    first, second = confirmed(snapshot(*both), taken("l1", 2, "bolt", "a"), taken("l2", 2, "nut", "b"), ids=ids).created
    stocks = [stock("b", on_hand=9, supplier="nut")]
    change = rejected(first, [second], stocks, line("l1", 2, default_supplier_id="bolt", supplier_ids=("nut",)), ids=ids)
    gone, joined = change.changed
    assert change.created == ()
    assert [x.line_item_id for x in joined.lines] == ["l1", "l2"]
    assert gone.total + joined.total == first.total + second.total


def test_the_implicit_order_cannot_be_rejected() -> None:
    (implicit,) = confirmed(snapshot(order_line()), taken("l1", 1), forward=False).created
    with pytest.raises(WaybillError) as refused:
        rejected(implicit, [], [], line(), ids=SequentialIds())
    assert refused.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"


@given(
    st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.integers(0, 6)), min_size=1, max_size=4),
    st.lists(st.integers(0, 8), min_size=3, max_size=3),
    st.booleans(),
)
def test_a_rejection_keeps_units_money_and_stock(wanted: list[tuple[int, bool, int]], there: list[int], counted: bool) -> None:
    ids = SequentialIds()
    lines = [
        order_line(f"l{n}", q, 1_000_000 * n + 10_000, tax=70_000, discount=10_000, shippable=s)
        for n, (q, s, _) in enumerate(wanted)
    ]
    order_data = snapshot(*lines, shipping_cost=990_000)
    reserved = [taken(f"l{n}", q, "bolt", "a" if counted else "") for n, (q, *_) in enumerate(wanted)]
    (order,) = confirmed(order_data, *reserved, ids=ids, stocks=[]).created
    loading = Loading([order])
    packed = [want(min(k, q), f"l{n}") for n, (q, s, k) in enumerate(wanted) if s and k]
    loading.leave(loading.pack(packed[:1], "x"), "s1")
    loading.pack(packed[1:], "x")
    before = (*loading.touched_orders(NOW), order)[0]
    assume(any(x.unpacked for x in before.lines))
    count = sum(q for q, *_ in wanted)
    stocks = [
        stock("a", on_hand=count, supplier="bolt", allocated=count),
        stock("b", on_hand=there[0], supplier="nut"),
        stock("c", on_hand=there[1], supplier="nut"),
        stock("d", on_hand=there[2]),
    ]
    demand = [
        line(f"l{n}", q, default_supplier_id="bolt", supplier_ids=("nut",), track_inventory=counted)
        for n, (q, *_) in enumerate(wanted)
    ]
    change = rejected(before, [], stocks, *demand, ids=ids)
    found: Counter[str] = Counter()
    for o in (*change.changed, *change.created):
        for x in o.lines:
            found[x.line_item_id] += x.quantity
            assert 0 <= x.discount <= x.subtotal
            assert x.tax >= 0
            assert o.key == before.key or x.shippable or x.open == x.unallocated, "what has stock is delivered"
    assert found == Counter({f"l{n}": q for n, (q, *_) in enumerate(wanted)})
    assert sum(o.total for o in (*change.changed, *change.created)) == before.total
    (gone,) = change.changed
    assert [x.unpacked for x in gone.lines] == [0] * len(lines)
    sums = summed_by_record(change.movements)
    for s in stocks[1:]:
        effect = sums.get(s.key)
        assert effect is None or effect.allocated - effect.on_hand <= s.on_hand
