from time import process_time

import pytest

from services.shipping.domain.estimate import Terms, estimate
from services.shipping.domain.grouping import Grouping
from services.shipping.domain.methods import Scope
from tests.unit.shipping.builders import BERLIN, DAY, LOS_ANGELES, item, method, rule, table, zone

US = zone("us", ("US", "", ""))
CALIFORNIA = zone("ca", ("US", "CA", ""))


def offers_for(items, *methods, rules=(), currency="USD", to=LOS_ANGELES):
    """(method, cost in cents) of the first estimate."""
    estimates, _ = estimate(items, to, currency, Terms(tuple(methods), tuple(rules)))
    return [(offer.method.id, offer.cost // 10_000) for offer in estimates[0].offers]


def test_offers_are_sorted_by_cost_then_lead_time_then_id():
    methods = [
        method("c", table((None, "5")), days=(1, 5)),
        method("b", table((None, "5")), days=(2, 3)),
        method("a", table((None, "5")), days=(2, 5)),
        method("d", table((None, "4")), days=(9, 9)),
        method("e", table((None, "5")), days=(2, 3)),
    ]
    assert [id for id, _ in offers_for([item()], *methods)] == ["d", "b", "e", "c", "a"]


def test_the_whole_groups_weight_is_priced():
    ground = method("ground", table(("1", "5"), ("10", "8"), (None, "8", "1")))
    assert offers_for([item(weight="0.5"), item("l2", weight="0.5")], ground) == [("ground", 500)]
    assert offers_for([item("l1", 3, weight="0.5")], ground) == [("ground", 800)]
    assert offers_for([item("l1", 30, weight="0.5")], ground) == [("ground", 2_300)]


def test_the_methods_most_specific_zone_prices_and_its_lead_times_override():
    ground = method("ground", table((None, "5"), zone=US), table((None, "7"), zone=CALIFORNIA, lead_times=(DAY, DAY)))
    found, _ = estimate([item()], None, "USD", Terms((ground,), ()))
    (offer,) = found[0].offers
    assert (offer.cost, offer.min_lead_time, offer.max_lead_time) == (7_000_000, DAY, DAY)


def test_a_more_specific_zone_that_cannot_carry_the_weight_is_not_passed_over():
    ground = method("ground", table((None, "5"), zone=US), table(("1", "7"), zone=CALIFORNIA))
    assert offers_for([item(weight="2")], ground) == []


def test_another_methods_finer_zone_takes_nothing_away():
    methods = [method("local", table((None, "3"), zone=CALIFORNIA)), method("wide", table((None, "5"), zone=US))]
    assert offers_for([item()], *methods) == [("local", 300), ("wide", 500)]


def test_only_tables_in_the_orders_currency_count():
    both = method("both", table((None, "5")), table((None, "600"), currency="JPY"))
    assert offers_for([item()], both, currency="USD") == [("both", 500)]
    assert offers_for([item()], both, currency="JPY") == [("both", 60_000)]
    assert offers_for([item()], both, currency="EUR") == []


@pytest.mark.parametrize(
    ("scopes", "offered"),
    [
        ((), False),
        ((Scope(),), True),
        ((Scope("bolt"),), True),
        ((Scope("nut"),), False),
        ((Scope("nut"), Scope("bolt", "b1")), True),
        ((Scope("bolt", "b2"),), False),
        ((Scope("", "b1"),), True),
    ],
)
def test_an_assignment_restricts_where_all_of_a_group_comes_from(scopes, offered):
    ground = method("ground", table(), scopes=scopes)
    assert bool(offers_for([item(supplier="bolt", origin="b1")], ground)) is offered


def test_a_mixed_group_is_served_by_unrestricted_assignments_only():
    mixed = [item("l1", supplier="bolt"), item("l2", supplier="nut")]
    methods = [method("bolts", table(), scopes=(Scope("bolt"),)), method("all", table())]
    assert [id for id, _ in offers_for(mixed, *methods, rules=[rule(Grouping.ORDER)])] == ["all"]


def test_pick_up_methods_serve_pick_up_groups_only_and_cost_nothing_without_a_table():
    methods = [method("ground", table()), method("counter", pickup=True)]
    assert offers_for([item()], *methods) == [("ground", 500)]
    assert offers_for([item(pickup="store")], *methods) == [("counter", 0)]


def test_a_pick_up_method_with_tables_goes_by_the_orders_destination():
    counter = method("counter", table((None, "2"), zone=US), pickup=True)
    assert offers_for([item(pickup="store", to=BERLIN)], counter, to=LOS_ANGELES) == [("counter", 200)]
    assert offers_for([item(pickup="store", to=LOS_ANGELES)], counter, to=BERLIN) == []
    assert offers_for([item(pickup="store")], counter, currency="EUR") == []


def test_a_delivery_method_without_a_table_is_not_offered():
    assert offers_for([item()], method("ground")) == []


def test_every_line_that_no_method_serves_is_a_problem_once():
    items = [item("l1"), item("l2", to=BERLIN), item("l2", to=BERLIN, origin="w2"), item("l3", to=None)]
    ground = method("ground", table((None, "5"), zone=US))
    estimates, problems = estimate(items, None, "USD", Terms((ground,), ()))
    assert [(p.line_item_id, p.reason) for p in problems] == [("l2", "NO_SHIP_METHOD"), ("l3", "SHIP_TO_MISSING")]
    assert [bool(e.offers) for e in estimates] == [True, False, False, False]


def test_what_is_picked_up_needs_no_destination():
    _, problems = estimate([item(to=None, pickup="s")], None, "USD", Terms((method("c", pickup=True),), ()))
    assert problems == []


def test_no_items_make_no_estimates():
    assert estimate([], LOS_ANGELES, "USD", Terms((method("g", table()),), ())) == ([], [])


def test_ten_thousand_items_are_estimated_in_little_time():
    methods = tuple(method(f"m{i}", table(("1", "5"), (None, "9", "0.5"))) for i in range(10))
    items = [item(f"l{i}", weight=str(i % 50)) for i in range(10_000)]
    before = process_time()
    estimates, _ = estimate(items, LOS_ANGELES, "USD", Terms(methods, (rule(Grouping.LINE),)))
    assert len(estimates) == 10_000
    # Some 0.1 s; the bound only catches work that multiplies with the items.
    assert process_time() - before < 3
