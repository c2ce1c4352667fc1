"""What suppliers are paid: the cost side of supplier orders, and who sees it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from libs.ids import SequentialIds
from libs.money import minor_unit, round_half_up
from services.fulfillment.contract.reports import supplier_order_shown
from services.fulfillment.domain.sourcing.model import Assignment, Strategy
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, reject
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.give_up import give_up, stop
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.costs import commission, cost, has_costs, line_cost, payable
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder
from services.fulfillment.domain.supplier_orders.worth import canceled
from services.fulfillment.domain.visibility import Side, sides
from tests.support.amounts import amounts
from tests.support.principals import buyer, seller, supplier
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, line, order_line, snapshot, taken
from tests.unit.fulfillment.test_splitting import orders

SUPPLIERS = ("bolt", "nut", "gear")


def side(order: SupplierOrder) -> tuple[int | None, int | None, int | None]:
    return cost(order), payable(order), commission(order)


def placed(quantity: int = 3, **costs: int) -> SupplierOrder:
    """Three drills of bolt's, sold for 10.00 each; `costs` are of a unit, by supplier."""
    order = snapshot(order_line("l1", quantity, quantity * 10_000_000), costs={"l1": costs})
    (made,) = confirmed(order, taken("l1", quantity, "bolt")).created
    return made


def shipped(order: SupplierOrder, units: int) -> SupplierOrder:
    return replace(order, lines=tuple(replace(x, shipped=units, allocations=()) for x in order.lines))


def test_a_supplier_order_has_the_costs_of_its_own_supplier() -> None:
    order = placed(bolt=6_000_000, nut=1_000_000)
    assert [x.unit_cost for x in order.lines] == [6_000_000]
    assert side(order) == (18_000_000, 18_000_000, 12_000_000)
    assert side(placed(nut=1_000_000)) == (None, None, None)


def test_the_sellers_own_supplier_order_has_none_and_forwarding_gives_them() -> None:
    order = snapshot(order_line("l1", 2, 20_000_000), costs={"l1": {"bolt": 7_000_000}})
    ids = SequentialIds()
    (implicit,) = confirmed(order, taken("l1", 2, "bolt"), forward=False, ids=ids).created
    assert not has_costs(implicit)
    change = forward([implicit], {}, order.costs, ids.key, NOW)
    assert [side(o) for o in change.created] == [(14_000_000, 14_000_000, 6_000_000)]


def test_a_cost_is_rounded_half_up_once_a_line() -> None:
    assert cost(placed(3, bolt=3_335_000)) == 10_010_000
    assert cost(placed(1, bolt=4_999)) == 0


def test_canceled_units_are_not_payable_and_come_from_the_back() -> None:
    order = shipped(placed(3, bolt=3_335_000), 1)
    (after,) = give_up(stop([order], NOW).changed, CAUSE, NOW).changed
    # A third of 10.01, rounded half up: what the first of three units costs.
    assert side(after) == (10_010_000, 3_340_000, 6_660_000)


def test_an_order_that_is_canceled_whole_keeps_its_cost_and_nothing_is_payable() -> None:
    (after,) = cancel([placed(3, bolt=6_000_000)], CAUSE, NOW).changed
    assert side(after) == (18_000_000, 0, 0)


def test_the_commission_may_be_below_zero_and_lines_without_a_cost_are_not_in_it() -> None:
    given_ = snapshot(order_line("l1", 1, 10_000_000), order_line("l2", 1, 90_000_000), costs={"l1": {"bolt": 12_000_000}})
    (order,) = confirmed(given_, taken("l1", 1, "bolt"), taken("l2", 1, "bolt")).created
    assert side(order) == (12_000_000, 12_000_000, -2_000_000)


def test_tax_that_a_price_includes_is_not_kept_by_anybody() -> None:
    sold = snapshot(order_line("l1", 2, 24_000_000, included_tax=4_000_000), costs={"l1": {"bolt": 7_000_000}})
    (order,) = confirmed(sold, taken("l1", 2, "bolt")).created
    assert side(order) == (14_000_000, 14_000_000, 6_000_000)


def test_net_tax_and_commission_add_up_to_what_is_left_of_a_line_that_is_canceled_in_part() -> None:
    sold = snapshot(order_line("l1", 12, 734_950_000, included_tax=117_340_000), costs={"l1": {"bolt": 28_350_000}})
    (order,) = confirmed(sold, taken("l1", 12, "bolt")).created
    (after,) = give_up(stop([shipped(order, 9)], NOW).changed, CAUSE, NOW).changed
    gone = canceled(after)
    left = after.subtotal - gone.subtotal - (117_340_000 - gone.included_tax)
    # Nine of twelve: 551.21, of which 88.01 is tax.
    assert left == 463_200_000
    assert side(after)[1:] == (255_150_000, left - 255_150_000)


def test_rejected_units_cost_what_their_new_supplier_is_paid() -> None:
    order = placed(3, bolt=6_000_000, nut=5_000_000)
    demand = {"l1": line("l1", 3, default_supplier_id="bolt", supplier_ids=("nut",), track_inventory=False)}
    costs = {"l1": {"bolt": 6_000_000, "nut": 5_000_000}}
    change = reject(
        Rejection(order, "no", [order], demand, [], Strategy.DEFAULT_SUPPLIER, CAUSE, {}, costs), SequentialIds().key, NOW
    )
    assert [side(o) for o in (*change.changed, *change.created)] == [(0, 0, 0), (15_000_000, 15_000_000, 15_000_000)]


def test_whoever_sees_a_supplier_order_sees_these_sides() -> None:
    for costed in (True, False):
        assert sides(seller(), costed) == set(Side)
        assert sides(buyer(), costed) == set()
    assert (sides(supplier(), True), sides(supplier(), False)) == ({Side.COST}, {Side.SELL})


def test_a_supplier_with_a_cost_sees_nothing_else_that_is_money() -> None:
    order = placed(3, bolt=6_000_000)
    shown = supplier_order_shown(order, sides(supplier(), has_costs(order)))
    assert {units for _, units, _ in amounts(shown)} == {6, 18}
    assert not shown.HasField("commission")


def expected(x: OrderLine, currency: str) -> int | None:
    return None if x.unit_cost is None else round_half_up(x.unit_cost * x.quantity, minor_unit(currency))


def holds(order: SupplierOrder, costs: dict[str, dict[str, int]]) -> None:
    """The cost side of a supplier order is that of its supplier, adds up, and is nowhere below zero."""
    for x in order.lines:
        assert x.unit_cost == costs.get(x.line_item_id, {}).get(order.supplier_id)
        assert line_cost(x, order.currency) == expected(x, order.currency)
    whole, due, kept = side(order)
    if not has_costs(order):
        assert (whole, due, kept) == (None, None, None)
        return
    assert whole is not None
    assert due is not None
    assert whole == sum(expected(x, order.currency) or 0 for x in order.lines)
    assert 0 <= due <= whole
    if all(not x.canceled for x in order.lines):
        assert due == whole
    if order.moved:
        assert (whole, due, kept) == (0, 0, 0)


@given(
    orders(),
    st.dictionaries(st.sampled_from(("", *SUPPLIERS)), st.integers(0, 50_000_000), max_size=4),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=5),
)
def test_whatever_is_split_rejected_and_canceled_costs_add_up_and_none_is_below_zero(
    case: tuple[OrderSnapshot, list[Assignment]], by_supplier: dict[str, int], steps: list[tuple[int, int]]
) -> None:
    """A rejection moves all units to somebody else; a cancel takes those that are left."""
    whole, reserved = case
    # Every second line is one that nobody has a cost for.
    costs = {x.line_item_id: dict(by_supplier) for x in whole.lines[::2]}
    order = replace(whole, costs=costs)
    ids = SequentialIds()
    standing = list(confirmed(order, *reserved, ids=ids).created)
    for which, action in steps:
        live = [o for o in standing if o.status == "OPEN" and not o.moved]
        if not live:
            break
        gone = live[which % len(live)]
        if action == 0:
            change = cancel([gone], CAUSE, NOW)
        else:
            demand = {
                x.line_item_id: line(
                    x.line_item_id,
                    x.quantity,
                    x.product_id,
                    default_supplier_id=gone.supplier_id,
                    supplier_ids=SUPPLIERS,
                    track_inventory=False,
                )
                for x in gone.lines
            }
            rejection = Rejection(gone, "no", standing, demand, [], Strategy.DEFAULT_SUPPLIER, CAUSE, {}, costs)
            change = reject(rejection, ids.key, NOW)
        after = {o.key: o for o in (*standing, *change.changed, *change.created)}
        standing = list(after.values())
    for o in standing:
        holds(o, costs)
