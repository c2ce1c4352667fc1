"""Splitting is a partition of units and money."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from libs.ids import SequentialIds
from services.fulfillment.domain.sourcing.model import Assignment, Strategy
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, reject
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot
from services.fulfillment.domain.supplier_orders.splitting import Part, partition
from services.fulfillment.domain.supplier_orders.supplier_order import SelectionItem, ShipSelection, SupplierOrder
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, line, order_line, snapshot, stock, taken

CENT = 10_000


def estimate(id: str, cost: int, *items: tuple[str, int, str], tax: int = 0, included: int = 0) -> ShipSelection:
    return ShipSelection(id, "ground", "Ground", "ups", cost, tax, False, tuple(SelectionItem(*i) for i in items), included)


def total_of(order: OrderSnapshot) -> int:
    return sum(x.subtotal - x.discount for x in order.lines) + order.shipping_cost + order.tax


def test_a_split_line_is_apportioned_to_the_cent() -> None:
    order = snapshot(order_line("l1", 3, 10_000_000, discount=1_000_000, tax=700_000))
    made = confirmed(order, taken("l1", 1, "bolt"), taken("l1", 2, "nut")).created
    assert [(o.id, o.supplier_id) for o in made] == [("PO1-1", "bolt"), ("PO1-2", "nut")]
    assert [(o.subtotal, o.discount) for o in made] == [(3_330_000, 330_000), (6_670_000, 670_000)]
    assert sum(o.total for o in made) == total_of(order)


def test_no_part_gets_more_discount_than_it_costs() -> None:
    """Split apart, 14.11 less 14.10 over 6, 6 and 2 units would leave the last with 2.01 less 2.02."""
    order = snapshot(order_line("l1", 14, 14_110_000, discount=14_100_000))
    made = confirmed(order, taken("l1", 6, "bolt"), taken("l1", 6, "nut"), taken("l1", 2, "gear")).created
    assert [o.total for o in made] == [10_000, 0, 0]
    assert [(o.subtotal, o.discount) for o in made] == [(6_050_000, 6_040_000), (6_040_000, 6_040_000), (2_020_000, 2_020_000)]


def test_included_tax_is_split_with_the_net_that_it_is_in() -> None:
    freight = estimate("e1", 1_190_000, ("l1", 3, ""), included=190_000)
    order = snapshot(order_line("l1", 3, 119 * CENT, discount=19 * CENT, included_tax=16 * CENT), shipping=(freight,))
    made = confirmed(order, taken("l1", 1, "bolt"), taken("l1", 2, "nut")).created
    assert [o.lines[0].included_tax for o in made] == [5 * CENT, 11 * CENT]
    assert [o.selections[0].included_tax for o in made] == [60_000, 130_000]
    assert [o.included_tax for o in made] == [11 * CENT, 24 * CENT]
    assert sum(o.total for o in made) == total_of(order)


def test_no_part_includes_more_tax_than_it_costs() -> None:
    """Split apart, 0.05 of which 0.02 are tax would leave a part of 0.00 with 0.01 of tax."""
    reserved = [taken("l1", units, supplier) for supplier, units in (("a", 9), ("b", 9), ("c", 9), ("d", 9), ("e", 2))]
    for net in range(1, 12):
        for included in range(net + 1):
            order = snapshot(order_line("l1", 38, net * CENT, included_tax=included * CENT))
            made = confirmed(order, *reserved).created
            assert all(0 <= o.included_tax <= o.total for o in made)
            assert (sum(o.included_tax for o in made), sum(o.total for o in made)) == (included * CENT, net * CENT)


def test_the_cost_of_an_estimate_follows_its_goods() -> None:
    order = snapshot(
        order_line("l1", 2),
        order_line("l2", 2),
        shipping=(
            estimate("e1", 5_000_000, ("l1", 2, "bolt"), tax=500_000),
            estimate("e2", 9_000_000, ("l2", 1, "bolt"), ("l2", 1, "nut")),
        ),
    )
    made = confirmed(order, taken("l1", 2, "bolt"), taken("l2", 1, "bolt"), taken("l2", 1, "nut")).created
    assert [o.shipping_cost for o in made] == [9_500_000, 4_500_000]
    assert [o.tax for o in made] == [500_000, 0]
    assert [[(s.ship_estimate_id, s.cost) for s in o.selections] for o in made] == [
        [("e1", 5_000_000), ("e2", 4_500_000)],
        [("e2", 4_500_000)],
    ]


def test_freight_set_for_the_whole_order_goes_by_subtotal_where_nothing_else_says() -> None:
    order = snapshot(order_line("l1", 1, 30_000_000), order_line("l2", 1, 10_000_000), shipping_cost=1_000_000)
    made = confirmed(order, taken("l1", 1, "bolt"), taken("l2", 1, "nut")).created
    assert [o.shipping_cost for o in made] == [750_000, 250_000]


def test_freight_and_tax_that_have_no_part_go_by_subtotal_beside_those_that_have() -> None:
    order = snapshot(
        order_line("l1", 1, 30_000_000, tax=2_000_000),
        order_line("l2", 1, 10_000_000),
        shipping=(estimate("e1", 5_000_000, ("l2", 1, "nut")),),
        shipping_cost=6_000_000,
        tax=2_400_000,
    )
    made = confirmed(order, taken("l1", 1, "bolt"), taken("l2", 1, "nut")).created
    assert [o.shipping_cost for o in made] == [750_000, 5_250_000]
    assert [o.tax for o in made] == [2_300_000, 100_000]


def test_freight_lowered_below_its_parts_never_turns_negative() -> None:
    order = snapshot(
        order_line("l1"),
        order_line("l2"),
        shipping=(estimate("e1", 10_000_000, ("l1", 1, "bolt")), estimate("e2", 0, ("l2", 1, "nut"))),
        shipping_cost=0,
    )
    made = confirmed(order, taken("l1", 1, "bolt"), taken("l2", 1, "nut")).created
    assert [o.shipping_cost for o in made] == [0, 0]


def test_an_order_that_is_not_forwarded_is_one_supplier_order_of_the_seller() -> None:
    order = snapshot(order_line("l1", 2, tax=100_000))
    (only,) = confirmed(order, taken("l1", 2, "bolt"), forward=False).created
    assert (only.id, only.supplier_id, only.implicit, only.status) == ("PO1-1", "", True, "OPEN")
    assert only.total == total_of(order)


def test_forwarding_moves_every_unit_out_of_the_implicit_one() -> None:
    order = snapshot(order_line("l1", 3, 10_000_000, tax=1_000_000))
    ids = SequentialIds()
    reserved = (taken("l1", 1, "bolt", "a"), taken("l1", 2, "nut", "b"))
    (implicit,) = confirmed(order, *reserved, forward=False, ids=ids).created
    change = forward([implicit], {}, {}, ids.key, NOW)
    (gone,) = change.changed
    assert (gone.status, gone.moved, gone.total, gone.lines[0].quantity, gone.lines[0].canceled) == ("CANCELED", True, 0, 0, 0)
    assert [o.id for o in change.created] == ["PO1-2", "PO1-3"]
    assert sum(o.total for o in change.created) == total_of(order)
    assert change.movements == ()
    again = forward([gone, *change.created], {}, {}, ids.key, NOW)
    assert again.changed == ()
    assert again.created == ()


def test_parts_that_are_no_partition_are_refused() -> None:
    (whole,) = confirmed(snapshot(order_line("l1", 2)), taken("l1", 2), forward=False).created
    try:
        partition(whole, [Part("bolt", {"l1": 1}, {})])
    except ValueError:
        return
    raise AssertionError("one unit is missing")


def no_amount_below_zero(o: SupplierOrder) -> None:
    """Headers are the sums of lines, and no part of a supplier order costs less than nothing."""
    assert o.subtotal == sum(x.subtotal for x in o.lines)
    assert o.discount == sum(x.discount for x in o.lines)
    assert o.shipping_cost >= 0
    assert o.tax >= 0
    for x in o.lines:
        assert 0 <= x.discount <= x.subtotal
        assert x.tax >= 0
        assert 0 <= x.included_tax <= x.subtotal - x.discount
    for s in o.selections:
        assert s.cost >= 0
        assert s.tax >= 0
        assert 0 <= s.included_tax <= s.cost


@st.composite
def orders(draw: st.DrawFn) -> tuple[OrderSnapshot, list[Assignment]]:
    currency = draw(st.sampled_from(["USD", "JPY", "KWD"]))
    unit = {"USD": 10_000, "JPY": 1_000_000, "KWD": 1_000}[currency]
    money = st.integers(0, 99_999).map(lambda n: n * unit)
    lines, reserved = [], []
    for n in range(draw(st.integers(1, 5))):
        shares = draw(
            st.lists(st.tuples(st.sampled_from(["", "bolt", "nut", "gear"]), st.integers(1, 7)), min_size=1, max_size=4)
        )
        subtotal = draw(money)
        # Often all but a little is given away: there rounding could leave a part with less than nothing.
        most = st.integers(0, 3).map(lambda n, gross=subtotal: max(gross - n * unit, 0))
        discount = min(subtotal, draw(most | money))
        lines.append(
            order_line(
                f"l{n}",
                sum(q for _, q in shares),
                subtotal,
                discount=discount,
                included_tax=min(subtotal - discount, draw(money)),
                tax=draw(money),
                # What chosen options add once to a line is in its subtotal only; a price may be finer than the currency.
                unit_price=draw(st.integers(0, subtotal)),
                shippable=draw(st.booleans()),
            )
        )
        reserved += [taken(f"l{n}", q, s, draw(st.sampled_from(["", "r1", "r2"]))) for s, q in shares]
    shipping = []
    for n in range(draw(st.integers(0, 3))):
        some = draw(st.lists(st.sampled_from(reserved), max_size=3))
        items = [(a.line_item_id, a.quantity, draw(st.sampled_from([a.supplier_id, "other"]))) for a in some]
        cost = draw(money)
        shipping.append(estimate(f"e{n}", cost, *items, tax=draw(money), included=min(cost, draw(money))))
    extra = {name: draw(money) for name in ("shipping_cost", "tax") if draw(st.booleans())}
    return snapshot(*lines, shipping=tuple(shipping), currency=currency, **extra), reserved


def units(made: tuple[SupplierOrder, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for o in made:
        for one in o.lines:
            found[one.line_item_id] += one.quantity
    return found


@given(orders())
def test_every_unit_and_every_cent_is_in_exactly_one_supplier_order(case: tuple[OrderSnapshot, list[Assignment]]) -> None:
    order, reserved = case
    made = confirmed(order, *reserved).created
    assert units(made) == Counter({x.line_item_id: x.quantity for x in order.lines})
    assert len({o.supplier_id for o in made}) == len(made)
    assert sum(o.total for o in made) == total_of(order)
    assert sum(o.included_tax for o in made) == sum(x.included_tax for x in (*order.lines, *order.shipping))
    for name in ("subtotal", "discount", "tax", "included_tax"):
        for x in order.lines:
            parts = [y for o in made for y in o.lines if y.line_item_id == x.line_item_id]
            assert sum(getattr(y, name) for y in parts) == getattr(x, name)
            assert {y.unit_price for y in parts} == {x.unit_price}
    for o in made:
        no_amount_below_zero(o)
        for y in o.lines:
            assert sum(a.quantity for a in y.allocations) == y.quantity
            assert all(a.supplier_id == o.supplier_id for a in y.allocations)
    for s in order.shipping:
        shares = [mine for o in made for mine in o.selections if mine.ship_estimate_id == s.ship_estimate_id]
        assert sum(mine.cost for mine in shares) == s.cost
        assert sum(mine.included_tax for mine in shares) == s.included_tax


@given(orders())
def test_forwarding_later_gives_what_forwarding_at_once_gives(case: tuple[OrderSnapshot, list[Assignment]]) -> None:
    order, reserved = case
    at_once = confirmed(order, *reserved).created
    ids = SequentialIds()
    (implicit,) = confirmed(order, *reserved, forward=False, ids=ids).created
    later = forward([implicit], {}, {}, ids.key, NOW).created
    assert [(o.supplier_id, o.total, o.status) for o in later] == [(o.supplier_id, o.total, o.status) for o in at_once]


def test_lines_that_are_kept_back_are_the_sellers_and_can_be_forwarded_later() -> None:
    order = snapshot(
        order_line("l1", 2, 20_000_000, tax=2_000_000),
        order_line("l2", 2, 40_000_000, discount=1_000_000),
        order_line("l3", 1, 5_000_000),
        shipping=(estimate("e1", 6_000_000, ("l1", 2, "bolt"), ("l2", 1, "bolt")), estimate("e2", 1_000_000, ("l2", 1, "nut"))),
    )
    reserved = (taken("l1", 2, "bolt"), taken("l2", 1, "bolt"), taken("l2", 1, "nut"), taken("l3", 1, ""))
    ids = SequentialIds()
    implicit, *forwarded = confirmed(order, *reserved, kept=("l2", "gone"), ids=ids).created
    assert [(o.id, o.supplier_id, o.implicit) for o in (implicit, *forwarded)] == [
        ("PO1-1", "", True),
        ("PO1-2", "bolt", False),
        ("PO1-3", "", False),
    ]
    assert [(x.line_item_id, x.quantity) for x in implicit.lines] == [("l2", 2)]
    assert [o.shipping_cost for o in (implicit, *forwarded)] == [3_000_000, 4_000_000, 0]
    later = forward([implicit, *forwarded], {}, {}, ids.key, NOW)
    assert [(o.id, o.supplier_id, o.shipping_cost) for o in later.created] == [
        ("PO1-4", "bolt", 2_000_000),
        ("PO1-5", "nut", 1_000_000),
    ]
    assert sum(o.total for o in (*forwarded, *later.created)) == total_of(order)


def test_an_order_of_which_every_line_is_kept_back_is_not_forwarded() -> None:
    (only,) = confirmed(snapshot(order_line("l1", 2)), taken("l1", 2, "bolt"), kept=("l1",)).created
    assert (only.id, only.implicit, only.supplier_id) == ("PO1-1", True, "")


@given(orders(), st.sets(st.sampled_from(["l0", "l1", "l2", "l3", "l4"])))
def test_whatever_lines_are_kept_back_nothing_is_lost_and_they_are_all_that_can_be_forwarded(
    case: tuple[OrderSnapshot, list[Assignment]], kept: set[str]
) -> None:
    order, reserved = case
    ids = SequentialIds()
    made = confirmed(order, *reserved, kept=kept, ids=ids).created
    later = forward(made, {}, {}, ids.key, NOW)
    ended = (*(o for o in made if not o.implicit), *later.created)
    for stand in (made, ended):
        assert units(stand) == Counter({x.line_item_id: x.quantity for x in order.lines})
        assert sum(o.total for o in stand) == total_of(order)
        assert sum(o.included_tax for o in stand) == sum(x.included_tax for x in (*order.lines, *order.shipping))
        for o in stand:
            no_amount_below_zero(o)
    assert {x.line_item_id for o in made if o.implicit for x in o.lines} == kept & {x.line_item_id for x in order.lines}
    assert not any(o.implicit for o in ended)
    assert len({o.id for o in (*made, *later.created)}) == len(made) + len(later.created)


def test_freight_of_goods_that_are_free_goes_on_with_them_when_their_supplier_says_no() -> None:
    order = snapshot(order_line("l0", 1, 0), shipping_cost=10_000)
    ids = SequentialIds()
    (gone,) = confirmed(order, taken("l0", 1, "bolt"), ids=ids).created
    demand = {"l0": line("l0", 1, default_supplier_id="bolt", supplier_ids=("nut",), track_inventory=False)}
    change = reject(Rejection(gone, "no", [gone], demand, [], Strategy.DEFAULT_SUPPLIER, CAUSE, {}), ids.key, NOW)
    assert [(o.supplier_id, o.shipping_cost) for o in change.created] == [("nut", 10_000)]


@given(orders(), st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=5))
def test_whatever_is_rejected_and_joined_no_part_is_below_zero_and_nothing_is_lost(
    case: tuple[OrderSnapshot, list[Assignment]], answers: list[tuple[int, bool]]
) -> None:
    """Units move from supplier to supplier; each rejection joins an order that is there, or makes a new one."""
    order, reserved = case
    ids = SequentialIds()
    standing = list(confirmed(order, *reserved, ids=ids).created)
    for which, split in answers:
        live = [o for o in standing if o.status == "OPEN" and not o.moved]
        if not live:
            break
        gone = live[which % len(live)]
        # Split: what no record has units for goes on to the seller, so that both get a part.
        stocks = [stock(f"{x.line_item_id}-left", x.product_id, 1, supplier="gear") for x in gone.lines] if split else []
        demand = {
            x.line_item_id: line(
                x.line_item_id,
                x.quantity,
                x.product_id,
                default_supplier_id=gone.supplier_id,
                supplier_ids=("bolt", "nut", "gear"),
                track_inventory=split,
            )
            for x in gone.lines
        }
        rejection = Rejection(gone, "no", standing, demand, stocks, Strategy.DEFAULT_SUPPLIER, CAUSE, {})
        change = reject(rejection, ids.key, NOW)
        after = {o.key: o for o in (*standing, *change.changed, *change.created)}
        standing = list(after.values())
        for o in standing:
            no_amount_below_zero(o)
        assert sum(o.total for o in standing) == total_of(order)
        assert sum(o.discount for o in standing) == sum(x.discount for x in order.lines)
        assert sum(o.included_tax for o in standing) == sum(x.included_tax for x in (*order.lines, *order.shipping))
