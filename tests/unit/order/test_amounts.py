"""What shipping costs and where it is taxed; totals."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.errors import Violations
from services.order.domain.checkout.amounts import Freight, Totals, freights, totals, with_fees, with_own_tax, with_totals
from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import Assignment, Estimate, LinePart, Method, ShippingPart
from services.order.domain.discounts import Discount, Override
from services.order.domain.fees import LARGEST, Fee, check_fees
from services.order.domain.model import Address, Line
from tests.unit.order.builders import line, order

CENT = 10_000
DOCK = {"id": "dock", "city": "Salem", "country": "US", "region": "OR"}
HOME = {"city": "Lyon", "country": "FR"}
THERE = {"city": "Reno", "country": "US", "region": "NV"}


def estimate(id: str, cost: int, *line_ids: str) -> Estimate:
    """An estimate with one method, selected."""
    method = Method("ground", "Ground", "swift", cost, 1, 2)
    return Estimate(id, "", "", tuple((i, 1) for i in line_ids), (method,), "line", selected_method_id="ground")


def costs(own: int | None, *methods: int) -> list[int]:
    """Costs of estimates whose methods cost so much."""
    made = [estimate(f"e{i}", cost, "l1") for i, cost in enumerate(methods)]
    wanted = order(shipping_cost_override=own)
    return [f.cost for f in freights(wanted, made, Places(wanted, [line()], ()))]


def test_shipping_costs_what_its_method_costs_and_is_taxed_where_its_lines_go() -> None:
    sold = order()
    lines = [line("l1"), line("l2", shipping_address=THERE), line("l3", shipping_address=THERE, pickup_location_id="dock")]
    made = [estimate("e1", 5, "l1"), estimate("e2", 7, "l2"), estimate("e3", 0, "l3")]
    places = Places(sold, lines, [Assignment("l3", "anvil", 1, ship_from_id="dock", ship_from=DOCK)])
    assert freights(sold, made, places) == [
        Freight("e1", 5, sold.shipping_address),
        Freight("e2", 7, THERE),
        Freight("e3", 0, DOCK),
    ]


def test_a_cost_set_for_the_whole_order_is_shared_by_what_the_methods_cost() -> None:
    assert costs(100 * CENT, 3 * CENT, 1 * CENT) == [75 * CENT, 25 * CENT]
    assert costs(1 * CENT, CENT, CENT, CENT) == [CENT, 0, 0]
    assert costs(4 * CENT, 0, 0) == [2 * CENT, 2 * CENT]
    assert costs(0, 9 * CENT, 5 * CENT) == [0, 0]


def test_a_cost_that_was_set_includes_its_tax_where_the_methods_cost_does_and_not_without_a_method() -> None:
    plain, taxed = estimate("e1", 5, "l1"), estimate("e2", 5, "l1")
    taxed = replace(taxed, methods=(replace(taxed.methods[0], tax_included=True),))
    for own in (None, 8 * CENT):
        wanted = order(shipping_cost_override=own)
        assert [f.tax_included for f in freights(wanted, [plain, taxed], Places(wanted, [line()], ()))] == [False, True]
    alone = order(shipping_cost_override=5)
    assert [f.tax_included for f in freights(alone, [], Places(alone, [line()], ()))] == [False]


def test_included_tax_is_summed_beside_the_total_and_a_tax_that_was_set_leaves_it() -> None:
    parts = [
        LinePart("l1", 119, 119, (), 0, 0, Decimal("0.19"), "", tax_included=True, included_tax=19),
        LinePart("l2", 100, 100, (), 0, 19, Decimal("0.19"), ""),
    ]
    freight = [ShippingPart("e1", 50, 0, Decimal("0.19"), (), True, 8)]
    made = totals(parts, freight)
    assert (made.included_tax, made.tax, made.total) == (27, 19, 119 + 100 + 19 + 50)
    own = totals(*with_own_tax(order(tax_override=CENT), parts, freight))
    assert (own.included_tax, own.tax) == (27, CENT)
    sold = with_totals(order(gratuity=5), made)
    assert (sold.included_tax, sold.total, sold.wholly_canceled.included_tax) == (27, made.total + 5, 27)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_to_the_cost_that_was_set(own: int, methods: list[int]) -> None:
    assert sum(costs(own, *methods)) == own


def test_a_cost_without_any_method_is_taxed_where_goods_go() -> None:
    def place(*lines: Line, **fields: Any) -> Address | None:
        wanted = order(shipping_cost_override=5, **fields)
        (found,) = freights(wanted, [], Places(wanted, lines, ()))
        return found.destination

    there, service = line("l1", shipping_address=THERE), line("l2", shippable=False)
    assert place(there, line("l0")) == order().shipping_address
    assert place(service, there) == place(there, shipping_address=None) == THERE
    assert place(service, shipping_address=None, billing_address=HOME) == HOME
    assert place(service, shipping_address=None) is None
    for free in (order(shipping_cost_override=0), order()):
        assert freights(free, [], Places(free, [there], ())) == []


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


def test_discounts_on_shipping_are_in_its_cost_and_not_in_the_discount_of_the_lines() -> None:
    by_hand = Discount(Override(), 3 * CENT)
    parts = [LinePart("l1", 9 * CENT, 9 * CENT, (by_hand,), 3 * CENT, 0, Decimal(0), "")]
    made = totals(parts, [ShippingPart("e1", 8 * CENT, CENT, Decimal(0), (by_hand, by_hand))])
    assert made == Totals(subtotal=9 * CENT, discount=3 * CENT, shipping_cost=2 * CENT, tax=CENT)
    assert made.total == 9 * CENT


def test_a_tax_that_was_set_goes_by_what_discounts_leave_of_shipping() -> None:
    freight = [
        ShippingPart("e1", 8 * CENT, 0, Decimal(0), (Discount(Override(), 6 * CENT),)),
        ShippingPart("e2", CENT, 0, Decimal(0)),
    ]
    assert [s.tax for s in with_own_tax(order(tax_override=3 * CENT), (), freight)[1]] == [2 * CENT, CENT]


PARTS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=12)


@given(st.integers(0, 10**12), PARTS.filter(bool), PARTS)
def test_the_tax_that_was_set_is_the_sum_of_its_parts_and_none_is_below_zero(
    own: int, lines: list[tuple[int, int]], shipments: list[tuple[int, int]]
) -> None:
    shares, total = taxed(own * CENT, lines, shipments)
    assert sum(shares) == total == own * CENT
    assert all(share >= 0 and share % CENT == 0 for share in shares)


def test_a_tax_set_for_the_whole_order_is_shared_by_fees_too() -> None:
    charged = (Fee("rush", "Rush", 300 * CENT, tax=3 * CENT), Fee("packing", "Packing", 0))
    freight = [ShippingPart("e1", 5 * CENT, CENT, Decimal(0))]
    _, shipments, fees = with_own_tax(order(tax_override=8 * CENT), (), freight, charged)
    assert ([s.tax for s in shipments], [f.tax for f in fees]) == ([2 * CENT], [6 * CENT, 0])
    assert totals((), shipments, fees).total == 313 * CENT


def test_other_fees_are_in_the_total_at_once_and_take_the_tax_of_those_before_with_them() -> None:
    before = order(tax=7 * CENT, total=107 * CENT, fees=(Fee("rush", "Rush", 50 * CENT, tax=5 * CENT),))
    after = with_fees(before, [Fee("packing", "Packing", 20 * CENT)])
    assert (after.fee_total, after.tax, after.total, after.calculated) == (20 * CENT, 2 * CENT, 72 * CENT, False)
    assert after.estimated


def test_fees_that_are_too_much_together_are_refused() -> None:
    found = Violations()
    check_fees(found, 2, [Fee("a", "A", LARGEST), Fee("b", "B", 1)])
    assert [(v.field, v.reason) for v in found.items] == [("order.fees", "VALUE_OUT_OF_RANGE")]
