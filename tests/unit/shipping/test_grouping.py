from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.ids import valid_id
from services.shipping.domain.grouping import Grouping, group_items
from tests.unit.shipping.builders import BERLIN, LOS_ANGELES, item, rule

ITEMS = [
    item("l1", 2, supplier="bolt", origin="b1"),
    item("l2", 3, supplier="bolt", origin="b2", product="p2"),
    item("l3", 1, supplier="nut", origin="b1"),
    item("l4", 4, supplier="", origin="w1", product="p2"),
    item("l4", 6, supplier="", origin="w2", product="p2"),
    item("l5", 1, supplier="", origin="w1"),
]


def groups_of(items, *rules):
    return [(g.grouping.name, g.lines) for g in group_items(items, rules)]


@pytest.mark.parametrize(
    ("grouping", "groups"),
    [
        (Grouping.ORDER, [(("l1", 2), ("l2", 3), ("l3", 1), ("l4", 10), ("l5", 1))]),
        (Grouping.LINE, [(("l1", 2),), (("l2", 3),), (("l3", 1),), (("l4", 10),), (("l5", 1),)]),
        (Grouping.SUPPLIER, [(("l1", 2), ("l2", 3)), (("l3", 1),), (("l4", 10), ("l5", 1))]),
        (Grouping.SHIP_FROM, [(("l1", 2),), (("l2", 3),), (("l3", 1),), (("l4", 4), ("l5", 1)), (("l4", 6),)]),
        # A pick-up rule is for nothing that is delivered.
        (Grouping.PICKUP, [(("l1", 2),), (("l2", 3),), (("l3", 1),), (("l4", 4), ("l5", 1)), (("l4", 6),)]),
    ],
)
def test_each_grouping(grouping, groups):
    assert [lines for _, lines in groups_of(ITEMS, rule(grouping))] == groups


def test_without_rules_items_are_grouped_by_ship_from():
    assert {name for name, _ in groups_of(ITEMS)} == {"SHIP_FROM"}
    assert groups_of(ITEMS) == groups_of(ITEMS, rule(Grouping.SHIP_FROM))


def test_rules_mix_in_one_order_and_the_first_that_matches_decides():
    rules = (
        rule(Grouping.LINE, "lines", priority=2, products=("p2",)),
        rule(Grouping.SUPPLIER, "bolt", priority=1, suppliers=("bolt",)),
        rule(Grouping.ORDER, "rest", own=False, origins=("w1", "w2")),
    )
    assert groups_of(ITEMS, *rules) == [
        ("SUPPLIER", (("l1", 2), ("l2", 3))),
        ("SHIP_FROM", (("l3", 1),)),
        ("LINE", (("l4", 10),)),
        ("ORDER", (("l5", 1),)),
    ]


def test_a_clients_own_rules_come_before_the_default_ones_whatever_their_priority():
    own = rule(Grouping.LINE, "own", priority=9)
    default = rule(Grouping.ORDER, "default", own=False, priority=0)
    assert {name for name, _ in groups_of(ITEMS, default, own)} == {"LINE"}
    assert {name for name, _ in groups_of(ITEMS, default)} == {"ORDER"}


def test_equal_priorities_go_by_id():
    rules = [rule(Grouping.LINE, "b"), rule(Grouping.ORDER, "a")]
    assert {name for name, _ in groups_of(ITEMS, *rules)} == {"ORDER"}


def test_a_rule_needs_all_of_its_lists_to_match():
    narrow = rule(Grouping.ORDER, suppliers=("bolt",), products=("p2",))
    assert ("ORDER", (("l2", 3),)) in groups_of(ITEMS, narrow)
    assert sum(name == "ORDER" for name, _ in groups_of(ITEMS, narrow)) == 1


def test_items_that_are_picked_up_are_grouped_by_location_supplier_and_origin_under_any_rule():
    items = [
        item("l1", pickup="store1", supplier="bolt"),
        item("l2", pickup="store1", supplier="bolt", to=BERLIN),
        item("l3", pickup="store2", supplier="bolt"),
        item("l4", pickup="store1", supplier="nut"),
        item("l5"),
    ]
    assert groups_of(items, rule(Grouping.ORDER)) == [
        ("PICKUP", (("l1", 1), ("l2", 1))),
        ("PICKUP", (("l3", 1),)),
        ("PICKUP", (("l4", 1),)),
        ("ORDER", (("l5", 1),)),
    ]


def test_a_pick_up_rule_keeps_what_it_matches_apart():
    items = [item("l1", pickup="s", product="ice"), item("l2", pickup="s"), item("l3", product="ice")]
    assert groups_of(items, rule(Grouping.PICKUP, products=("ice",))) == [
        ("PICKUP", (("l1", 1),)),
        ("PICKUP", (("l2", 1),)),
        ("SHIP_FROM", (("l3", 1),)),
    ]


@pytest.mark.parametrize("grouping", [g for g in Grouping if g is not Grouping.PICKUP])
def test_different_destinations_are_never_in_one_group(grouping):
    items = [item("l1", to=LOS_ANGELES), item("l1", to=BERLIN), item("l1", to=None)]
    assert len(group_items(items, [rule(grouping)])) == 3


def test_a_group_knows_its_supplier_origin_and_weight_unless_mixed():
    (by_order,) = group_items(ITEMS, [rule(Grouping.ORDER)])
    assert (by_order.supplier_id, by_order.ship_from_id) == (None, None)
    bolt, nut, own = group_items(ITEMS, [rule(Grouping.SUPPLIER)])
    assert (bolt.supplier_id, bolt.ship_from_id) == ("bolt", None)
    assert (nut.supplier_id, nut.ship_from_id) == ("nut", "b1")
    assert (own.supplier_id, own.ship_from_id) == ("", None)
    parts = [item("a", 3, weight="0.1"), item("b", 7, weight="1.25")]
    assert group_items(parts, [])[0].weight == Decimal("9.05")


def test_the_same_origin_id_in_two_suppliers_books_is_not_the_same_origin():
    (mixed,) = group_items(
        [item("l1", supplier="a", origin="main"), item("l2", supplier="b", origin="main")], [rule(Grouping.ORDER)]
    )
    assert mixed.ship_from_id is None


def test_the_same_group_has_the_same_id_whatever_is_in_it():
    few = group_items(ITEMS[:1], [rule(Grouping.SUPPLIER)])[0]
    many = group_items(ITEMS[::-1], [rule(Grouping.SUPPLIER)])[-1]
    assert few.id == many.id
    assert group_items(ITEMS[:1], [rule(Grouping.SUPPLIER, "r2")])[0].id != few.id
    assert group_items(ITEMS[:1], [rule(Grouping.SHIP_FROM)])[0].id != few.id


_items = st.lists(
    st.builds(
        item,
        st.sampled_from(["l1", "l2", "l3"]),
        st.integers(1, 50),
        product=st.sampled_from(["p1", "p2"]),
        supplier=st.sampled_from(["", "a", "b"]),
        origin=st.sampled_from(["", "w1", "w2"]),
        to=st.sampled_from([None, BERLIN, LOS_ANGELES]),
        pickup=st.sampled_from(["", "", "s1", "s2"]),
        weight=st.sampled_from(["0", "0.1", "12.345"]),
    ),
    max_size=30,
)
_some = lambda *values: st.sets(st.sampled_from(values), max_size=2).map(tuple)  # noqa: E731
_rules = st.lists(
    st.builds(
        rule,
        st.sampled_from(list(Grouping)),
        st.sampled_from(["r1", "r2", "r3", "r4"]),
        own=st.booleans(),
        priority=st.integers(0, 3),
        suppliers=_some("", "a", "b"),
        origins=_some("w1", "w2"),
        products=_some("p1", "p2"),
    ),
    max_size=5,
    unique_by=lambda r: r.id,
)


@given(_items, _rules)
def test_groups_are_a_partition_of_every_quantity_and_of_the_weight(items, rules):
    groups = group_items(items, rules)
    wanted, got = Counter(), Counter()
    for one in items:
        wanted[one.line_item_id] += one.quantity
    for group in groups:
        assert len(dict(group.lines)) == len(group.lines) > 0
        assert all(quantity > 0 for _, quantity in group.lines)
        got.update(dict(group.lines))
    assert got == wanted
    assert sum(g.weight for g in groups) == sum(i.weight * i.quantity for i in items)
    assert len({g.id for g in groups}) == len(groups)
    assert all(valid_id(g.id) for g in groups)


@given(_items, _rules, st.randoms())
def test_the_order_of_items_and_rules_does_not_change_the_groups(items, rules, random):
    def as_set(groups):
        return {(g.id, frozenset(g.lines), g.supplier_id, g.ship_from_id, g.weight) for g in groups}

    shuffled, mixed = list(items), list(rules)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    assert as_set(group_items(items, rules)) == as_set(group_items(shuffled, mixed))
