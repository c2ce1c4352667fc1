"""Sourcing: which units are taken from where."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.sourcing.assign import demand
from services.fulfillment.domain.sourcing.model import Line, Outcome, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import bind, follow, source
from tests.unit.fulfillment.builders import line, stock


def placed(outcome: Outcome) -> list[tuple[str, str, int]]:
    return [(a.line_item_id, a.record_id, a.quantity) for a in outcome.assignments]


def by_default(lines: list[Line], stocks: list[Stock]) -> Outcome:
    return source(Strategy.DEFAULT_SUPPLIER, lines, stocks)


def test_the_default_supplier_comes_before_a_better_priority() -> None:
    stocks = [stock("a", supplier="other", priority=0), stock("b", supplier="bolt", priority=9)]
    lines = [line(quantity=3, default_supplier_id="bolt", supplier_ids=("other",))]
    assert placed(by_default(lines, stocks)) == [("l1", "b", 3)]
    assert placed(source(Strategy.PRIORITY, lines, stocks)) == [("l1", "a", 3)]


def test_only_allowed_suppliers_are_asked() -> None:
    outcome = by_default([line(default_supplier_id="bolt")], [stock("a", supplier="other"), stock("b")])
    assert outcome.problems[0].reason == "INSUFFICIENT_INVENTORY"
    assert outcome.assignments == ()


def test_a_line_larger_than_one_location_is_split() -> None:
    stocks = [stock("a", on_hand=4, priority=1), stock("b", on_hand=4, priority=2)]
    assert placed(by_default([line(quantity=6)], stocks)) == [("l1", "a", 4), ("l1", "b", 2)]


def test_two_lines_of_one_product_never_take_the_same_unit() -> None:
    lines = [line("l1", 3), line("l2", 3)]
    outcome = by_default(lines, [stock("a", on_hand=5)])
    assert placed(outcome) == [("l1", "a", 3), ("l2", "a", 2)]
    assert [(p.line_item_id, p.missing_quantity, p.contended) for p in outcome.problems] == [("l2", 1, False)]


def test_inactive_stock_is_not_taken() -> None:
    assert by_default([line()], [stock("a", active=False)]).problems


def test_a_pickup_takes_the_stock_of_its_location_before_others_use_it_up() -> None:
    stocks = [stock("a", on_hand=2, location="shop", pickup=True, priority=0), stock("b", on_hand=5, priority=1)]
    lines = [line("l1", 2), line("l2", 2, pickup_location_id="shop")]
    assert placed(by_default(lines, stocks)) == [("l1", "b", 2), ("l2", "a", 2)]


def test_a_pickup_where_none_is_offered_is_a_problem() -> None:
    outcome = by_default([line(pickup_location_id="shop")], [stock("a", location="shop", pickup=False)])
    assert outcome.problems[0].missing_quantity == 1


def test_a_named_record_is_the_only_one_taken() -> None:
    stocks = [stock("a", priority=0), stock("b", priority=1)]
    assert placed(by_default([line(quantity=2, inventory_record_id="b")], stocks)) == [("l1", "b", 2)]
    unknown = by_default([line(inventory_record_id="gone")], stocks)
    assert unknown.problems[0].reason == "INVENTORY_RECORD_NOT_FOUND"


def test_a_line_takes_stock_of_exactly_its_variant() -> None:
    stocks = [stock("a", priority=0), stock("b", variant_id="red", on_hand=2, priority=1), stock("c", variant_id="blue")]
    outcome = by_default([line("l1", 3, variant_id="red"), line("l2", 12)], stocks)
    assert placed(outcome) == [("l1", "b", 2), ("l2", "a", 10)]
    assert [a.variant_id for a in outcome.assignments] == ["red", ""]
    assert [(p.line_item_id, p.missing_quantity) for p in outcome.problems] == [("l1", 1), ("l2", 2)]
    assert outcome.problems[0].description == "1 of 3 units of variant red of product drill are not available."


def test_a_record_of_another_variant_cannot_be_named() -> None:
    outcome = by_default([line(variant_id="red", inventory_record_id="b")], [stock("b", variant_id="blue")])
    assert outcome.assignments == ()
    assert outcome.problems


def test_a_plan_with_stock_of_another_variant_no_longer_holds() -> None:
    stocks = [stock("a", variant_id="red"), stock("b", variant_id="blue"), stock("c")]
    red, blue, neither = (source(Strategy.PRIORITY, [line(variant_id=v)], stocks).assignments for v in ("red", "blue", ""))
    assert follow([line(variant_id="red")], red, stocks) == frozenset()
    unsaid = [replace(a, variant_id="") for a in red]
    assert follow([line(variant_id="red")], unsaid, stocks) == frozenset()
    assert [a.variant_id for a in bind(unsaid, stocks)] == ["red"]
    for plan in (blue, neither):
        assert follow([line(variant_id="red")], plan, stocks) == {"l1"}
    assert follow([line()], red, stocks) == {"l1"}


def test_real_stock_goes_before_stock_that_may_be_exceeded() -> None:
    stocks = [stock("a", on_hand=1, can_exceed=True, priority=0), stock("b", on_hand=2, priority=1)]
    assert placed(by_default([line(quantity=5)], stocks)) == [("l1", "a", 3), ("l1", "b", 2)]


def test_uncounted_products_go_to_the_default_supplier() -> None:
    free = line(track_inventory=False, default_supplier_id="bolt", ship_from_id="dock", quantity=7)
    (only,) = by_default([free], []).assignments
    assert (only.supplier_id, only.ship_from_id, only.record_key, only.quantity) == ("bolt", "dock", None, 7)


def test_fewest_parcels_prefers_one_location_that_has_everything() -> None:
    stocks = [
        stock("a1", "drill", location="east", priority=0),
        stock("b1", "bit", location="west", priority=0),
        stock("a2", "drill", location="south", priority=5),
        stock("b2", "bit", location="south", priority=5),
    ]
    lines = [line("l1", 2, "drill"), line("l2", 2, "bit")]
    assert placed(source(Strategy.FEWEST_PARCELS, lines, stocks)) == [("l1", "a2", 2), ("l2", "b2", 2)]
    assert placed(source(Strategy.PRIORITY, lines, stocks)) == [("l1", "a1", 2), ("l2", "b1", 2)]


def test_a_shortage_is_contended_only_when_reserved_units_would_have_sufficed() -> None:
    held = stock("a", on_hand=5, reserved=4)
    assert by_default([line(quantity=5)], [held]).problems[0].contended
    assert not by_default([line(quantity=6)], [held]).problems[0].contended
    assert not by_default([line(quantity=5)], [stock("a", on_hand=5, allocated=4)]).problems[0].contended


def test_a_plan_is_followed_exactly_while_it_holds() -> None:
    stocks = [stock("a", on_hand=4), stock("b", on_hand=4)]
    lines = [line(quantity=6)]
    plan = by_default(lines, stocks).assignments
    assert follow(lines, plan, stocks) == frozenset()
    assert follow(lines, plan, [stock("a", on_hand=3), stock("b", on_hand=4)]) == {"l1"}
    assert follow(lines, plan, [stock("a", on_hand=4, active=False), stock("b")]) == {"l1"}
    assert follow([line(quantity=7)], plan, stocks) == {"l1"}
    assert follow([], plan, stocks) == {"l1"}


STOCKS = st.lists(
    st.builds(
        lambda n, product, variant, supplier, place, on_hand, promised, exceed, active, priority: stock(
            f"r{n}",
            product,
            on_hand,
            variant_id=variant,
            supplier=supplier,
            location=place,
            reserved=promised,
            can_exceed=exceed,
            active=active,
            pickup=True,
            priority=priority,
        ),
        st.integers(0, 10_000),
        st.sampled_from(["drill", "bit"]),
        st.sampled_from(["", "red"]),
        st.sampled_from(["", "bolt", "nut"]),
        st.sampled_from(["east", "west"]),
        st.integers(0, 12),
        st.integers(0, 4),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda s: s.id,
)
LINES = st.lists(
    st.builds(
        lambda *drawn: drawn,
        st.sampled_from([("drill", ""), ("drill", "red"), ("bit", "")]),
        st.integers(1, 9),
        st.sampled_from(["", "bolt"]),
        st.sampled_from([(), ("nut",), ("", "nut")]),
        st.sampled_from(["", "", "east"]),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, STOCKS, st.sampled_from(list(Strategy)))
def test_sourcing_never_takes_what_is_not_there(raw: list, stocks: list[Stock], strategy: Strategy) -> None:
    lines = [
        line(
            f"l{n}",
            quantity,
            product,
            variant_id=variant,
            default_supplier_id=supplier,
            supplier_ids=others,
            pickup_location_id=place,
        )
        for n, ((product, variant), quantity, supplier, others, place) in enumerate(raw)
    ]
    outcome = source(strategy, lines, stocks)
    by_key = {s.key: s for s in stocks}
    for key, units in demand(outcome.assignments).items():
        assert by_key[key].can_exceed or units <= by_key[key].available
    missing = {p.line_item_id: p.missing_quantity for p in outcome.problems}
    for one in lines:
        mine = [a for a in outcome.assignments if a.line_item_id == one.line_item_id]
        assert sum(a.quantity for a in mine) + missing.get(one.line_item_id, 0) == one.quantity
        assert all(a.quantity > 0 and a.supplier_id in one.allowed_suppliers for a in mine)
        assert all(by_key[a.record_key].sku == one.sku == (a.product_id, a.variant_id) for a in mine if a.record_key is not None)
        assert all(not one.pickup_location_id or a.ship_from_id == one.pickup_location_id for a in mine)
    assert source(strategy, lines, list(reversed(stocks))) == outcome
    if not outcome.problems:
        assert follow(lines, outcome.assignments, stocks) == frozenset()


@given(LINES, STOCKS)
def test_a_line_is_short_only_when_its_product_or_variant_is(raw: list, stocks: list[Stock]) -> None:
    lines = [
        line(f"l{n}", quantity, product, variant_id=variant, supplier_ids=("bolt", "nut"))
        for n, ((product, variant), quantity, *_) in enumerate(raw)
    ]
    outcome = source(Strategy.FEWEST_PARCELS, lines, stocks)
    for sku in {one.sku for one in lines}:
        usable = [s for s in stocks if s.sku == sku and s.active]
        wanted = sum(one.quantity for one in lines if one.sku == sku)
        got = sum(a.quantity for a in outcome.assignments if (a.product_id, a.variant_id) == sku)
        there = sum(max(0, s.available) for s in usable)
        assert got == (wanted if any(s.can_exceed for s in usable) else min(wanted, there))
