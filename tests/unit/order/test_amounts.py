"""What shipping costs and where it is taxed; totals."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.order.domain.amounts import Freight, freights, totals, with_own_tax
from services.order.domain.worksheet import Estimate, LinePart, Method, ShippingPart
from tests.unit.order.builders import line, order

CENT = 10_000
THERE = {"city": "Reno", "country": "US", "region": "NV"}


def estimate(id: str, cost: int, *line_ids: str) -> Estimate:
    """An estimate with one method, selected."""
    method = Method("ground", "Ground", "swift", cost, 1, 2)
    return Estimate(id, "", "", tuple((i, 1) for i in line_ids), (method,), "line", selected_method_id="ground")


def costs(own: int | None, *methods: int) -> list[int]:
    """Costs of estimates whose methods cost so much."""
    made = [estimate(f"e{i}", cost, "l1") for i, cost in enumerate(methods)]
    return [f.cost for f in freights(order(shipping_cost_override=own), [line()], made)]


def test_shipping_costs_what_its_method_costs_and_is_taxed_where_its_lines_go() -> None:
    lines = [line("l1"), line("l2", shipping_address=THERE), line("l3", shipping_address=THERE, pickup_location_id="dock")]
    made = [estimate("e1", 5, "l1"), estimate("e2", 7, "l2"), estimate("e3", 0, "l3")]
    assert freights(order(), lines, made) == [Freight("e1", 5), Freight("e2", 7, THERE), Freight("e3", 0)]


def test_a_cost_set_for_the_whole_order_is_shared_by_what_the_methods_cost() -> None:
    assert costs(100 * CENT, 3 * CENT, 1 * CENT) == [75 * CENT, 25 * CENT]
    assert costs(1 * CENT, CENT, CENT, CENT) == [CENT, 0, 0]
    assert costs(4 * CENT, 0, 0) == [2 * CENT, 2 * CENT]
    assert costs(0, 9 * CENT, 5 * CENT) == [0, 0]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_to_the_cost_that_was_set(own: int, methods: list[int]) -> None:
    assert sum(costs(own, *methods)) == own


def test_a_cost_without_any_method_goes_to_the_order_or_else_to_its_first_line() -> None:
    wanted: Any = order(shipping_cost_override=5)
    assert freights(wanted, [line(shipping_address=THERE)], []) == [Freight("", 5, wanted.shipping_address)]
    nowhere = order(shipping_cost_override=5, shipping_address=None)
    lines = [line("l0", shippable=False), line("l1", shipping_address=THERE)]
    assert freights(nowhere, lines, []) == [Freight("", 5, THERE)]
    assert freights(order(shipping_cost_override=0), lines, []) == []
    assert freights(order(), lines, []) == []


def taxed(own: int | None, lines: list[tuple[int, int]], shipments: list[tuple[int, int]]) -> tuple[list[int], int]:
    """Taxes of lines and shipments given as (base, tax), and the total of them, with a tax that was set."""
    parts = [LinePart(f"l{i}", base, base, (), 0, tax, Decimal(0), "") for i, (base, tax) in enumerate(lines)]
    freight = [ShippingPart(f"e{i}", base, tax, Decimal(0)) for i, (base, tax) in enumerate(shipments)]
    made = with_own_tax(order(tax_override=own), parts, freight)
    return [p.tax for p in made[0]] + [s.tax for s in made[1]], totals(*made).tax


def test_a_tax_set_for_the_whole_order_is_shared_as_the_calculated_one_was() -> None:
    assert taxed(None, [(9, 5 * CENT)], [(9, CENT)]) == ([5 * CENT, CENT], 6 * CENT)
    assert taxed(3 * CENT, [(9, 5 * CENT)], [(9, CENT)]) == ([3 * CENT, 0], 3 * CENT)
    assert taxed(0, [(9, 5 * CENT)], []) == ([0], 0)


def test_a_tax_where_none_was_calculated_goes_by_what_is_taxed() -> None:
    assert taxed(6 * CENT, [(2 * CENT, 0), (0, 0)], [(CENT, 0)]) == ([4 * CENT, 0, 2 * CENT], 6 * CENT)
    assert taxed(2 * CENT, [(0, 0), (0, 0)], []) == ([CENT, CENT], 2 * CENT)


def test_an_order_of_nothing_owes_no_tax() -> None:
    assert taxed(5 * CENT, [], []) == ([], 0)


PARTS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=12)


@given(st.integers(0, 10**12), PARTS.filter(bool), PARTS)
def test_the_tax_that_was_set_is_the_sum_of_its_parts_and_none_is_below_zero(
    own: int, lines: list[tuple[int, int]], shipments: list[tuple[int, int]]
) -> None:
    shares, total = taxed(own * CENT, lines, shipments)
    assert sum(shares) == total == own * CENT
    assert all(share >= 0 and share % CENT == 0 for share in shares)
