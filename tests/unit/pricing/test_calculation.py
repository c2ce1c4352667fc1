"""Prices, discounts and tax: every total is a sum of parts, whatever the input."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.domain.calculation.calculate import PricedShipment, Shipment, calculate
from services.pricing.domain.calculation.discounts import Discount, Override, Promoted, off
from services.pricing.domain.calculation.fees import Fee
from services.pricing.domain.calculation.line import LARGEST, Line, Problem
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.quote import Quote, QuotedFee, QuotedPrice, QuotedShipping, changed
from services.pricing.domain.schedules.schedule import Break, Price, Schedule, article, price_at
from services.pricing.domain.tax.rates import Destination, Rate, Rates

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CENT = 10_000
HERE = Destination("US", "CA", "95113")
NO_RATES = Rates(())


def schedule(*breaks: tuple[int, int], **fields: object) -> Schedule:
    return Schedule("s", "USD", tuple(Break(q, p) for q, p in breaks), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("quantity", "expected"), [(1, 10), (9, 10), (10, 8), (99, 8), (100, 5), (10_000, 5)])
def test_the_break_with_the_greatest_quantity_not_above_the_lines_holds(quantity: int, expected: int) -> None:
    assert price_at(schedule((1, 10), (10, 8), (100, 5)), quantity, NOW) == Price(
        expected, False, max(b for b in (1, 10, 100) if b <= quantity)
    )


@pytest.mark.parametrize(
    ("fields", "quantity", "reason"),
    [
        ({"min_quantity": 5}, 4, "QUANTITY_BELOW_MINIMUM"),
        ({"max_quantity": 5}, 6, "QUANTITY_ABOVE_MAXIMUM"),
        ({"restricted": True}, 3, "QUANTITY_NOT_ALLOWED"),
    ],
)
def test_quantities_outside_the_schedules_rules_are_refused(fields: dict[str, object], quantity: int, reason: str) -> None:
    found = price_at(schedule((1, 10), **fields), quantity, NOW)
    assert isinstance(found, tuple)
    assert found[0] == reason


def test_a_quantity_below_the_first_break_is_refused() -> None:
    found = price_at(schedule((5, 10)), 4, NOW)
    assert isinstance(found, tuple)
    assert found[0] == "QUANTITY_BELOW_MINIMUM"


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(None, None, 7), (-1, 1, 7), (1, 2, 10), (-2, -1, 10), (None, 0, 10), (0, None, 7)]
)
def test_a_sale_price_holds_within_its_times(start: int | None, end: int | None, expected: int) -> None:
    def at(days: int | None) -> datetime | None:
        return None if days is None else NOW + timedelta(days=days)

    sold = Schedule("s", "USD", (Break(1, 10, 7),), sale_start=at(start), sale_end=at(end))
    found = price_at(sold, 1, NOW)
    assert isinstance(found, Price)
    assert (found.unit, found.on_sale) == (expected, expected == 7)


def test_cumulative_quantities_count_all_lines_of_a_product() -> None:
    cumulative = schedule((1, 10 * CENT), (10, 8 * CENT), cumulative=True)
    made = calculate("USD", [Line("a", "p", 4), Line("b", "p", 6)], (), None, {"p": [cumulative]}, NO_RATES, NOW)
    assert [line.price.unit for line in made.lines] == [8 * CENT, 8 * CENT]


@pytest.mark.parametrize(
    ("quantity", "price", "chosen"), [(1, 9 * CENT, "cheap for few"), (10, 5 * CENT, "cheap for many"), (2, 8 * CENT, "a same")]
)
def test_of_several_schedules_the_lowest_price_for_the_quantity_holds(quantity: int, price: int, chosen: str) -> None:
    holding = [
        Schedule("a same", "USD", (Break(2, 8 * CENT),)),
        Schedule("b same", "USD", (Break(2, 8 * CENT),)),
        Schedule("cheap for few", "USD", (Break(1, 9 * CENT),)),
        Schedule("cheap for many", "USD", (Break(1, 10 * CENT), (Break(10, 5 * CENT)))),
        Schedule("euros", "EUR", (Break(1, CENT),)),
    ]
    (line,) = calculate("USD", [Line("a", "p", quantity)], (), None, {"p": holding}, NO_RATES, NOW).lines
    assert line.price.schedule is not None
    assert (line.price.unit, line.price.schedule.schedule_id) == (price, chosen)


def test_where_none_of_several_schedules_has_a_price_the_first_says_why() -> None:
    holding = [Schedule("a", "USD", (Break(5, CENT),)), Schedule("b", "EUR", (Break(1, CENT),))]
    made = calculate("USD", [Line("a", "p", 1)], (), None, {"p": holding}, NO_RATES, NOW)
    assert [(p.line_id, p.reason) for p in made.problems] == [("a", "QUANTITY_BELOW_MINIMUM")]


def test_an_override_asks_no_schedule() -> None:
    made = calculate("USD", [Line("a", "p", 3, unit_price_override=CENT)], (), None, {}, NO_RATES, NOW)
    assert (made.problems, made.lines[0].subtotal, made.lines[0].price.schedule) == ((), 3 * CENT, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line("a", "unknown", 1), "PRICE_MISSING"),
        (Line("a", "euro", 1), "CURRENCY_MISMATCH"),
        (Line("a", "p", 1, discount_override=11 * CENT), "DISCOUNT_ABOVE_SUBTOTAL"),
    ],
)
def test_what_cannot_be_priced_is_a_problem_with_its_line(line: Line, reason: str) -> None:
    schedules = {"p": [schedule((1, 10 * CENT))], "euro": [Schedule("e", "EUR", (Break(1, 1),))]}
    made = calculate("USD", [line], (), None, schedules, NO_RATES, NOW)
    assert [(p.line_id, p.reason) for p in made.problems] == [("a", reason)]


def test_the_most_specific_rate_holds() -> None:
    rates = Rates(
        [
            Rate("US", "", "", "standard", Decimal("0.01")),
            Rate("US", "CA", "", "standard", Decimal("0.07")),
            Rate("US", "", "951", "standard", Decimal("0.09")),
            Rate("US", "CA", "", "food", Decimal("0")),
        ]
    )
    assert rates.rate(HERE, "") == Decimal("0.09")
    assert rates.rate(Destination("US", "CA", "90001"), "standard") == Decimal("0.07")
    assert rates.rate(Destination("US", "NV", "89101"), "standard") == Decimal("0.01")
    assert rates.rate(HERE, "food") == 0
    assert rates.rate(Destination("DE"), "standard") == 0
    assert rates.rate(None, "standard") == 0


prices = st.integers(0, 10**10)
quantities = st.integers(1, 10_000)


@given(st.lists(st.tuples(prices, quantities, st.integers(0, 100)), min_size=1, max_size=20), st.integers(0, 10_000))
def test_amounts_are_whole_cents_and_within_their_bounds(items: list[tuple[int, int, int]], points: int) -> None:
    lines = [
        Line(str(i), "p", q, unit_price_override=p, discount_override=p * q * percent // 100)
        for i, (p, q, percent) in enumerate(items)
    ]
    rates = Rates([Rate("US", "", "", c, Decimal(points) / 10_000) for c in ("standard", "shipping")])
    made = calculate("USD", lines, [Shipment("e", 123_456)], HERE, {}, rates, NOW)
    for line in made.lines:
        assert 0 <= line.discount <= line.subtotal
        assert 0 <= line.tax <= line.subtotal - line.discount
        assert line.subtotal % CENT == line.discount % CENT == line.tax % CENT == 0
        exact = Decimal(line.subtotal - line.discount) * line.tax_rate
        assert abs(line.tax - exact) <= CENT / 2
    assert made.shipments[0].cost == 120_000


def test_a_discount_that_was_set_by_hand_says_so_and_one_of_nothing_is_none() -> None:
    lines = [Line(str(own), "p", 1, unit_price_override=9 * CENT, discount_override=own) for own in (None, 0, 2 * CENT)]
    made = calculate("USD", lines, (), None, {}, NO_RATES, NOW)
    assert [line.discounts for line in made.lines] == [(), (), (Discount(Override(), 2 * CENT),)]


def test_promotions_come_off_after_what_was_set_by_hand_and_the_rest_is_taxed() -> None:
    given_ = (Discount(Promoted("spring", "SPRING"), 5 * CENT), Discount(Promoted("daily"), 70 * CENT))
    wanted = Line("l", "p", 1, unit_price_override=100 * CENT, discount_override=20 * CENT, discounts=given_, destination=HERE)
    rates = Rates([Rate("US", "", "", "standard", Decimal("0.5"))])
    (made,) = calculate("USD", [wanted], (), None, {}, rates, NOW).lines
    assert made.discounts == (Discount(Override(), 20 * CENT), *given_)
    assert (made.discount, made.tax) == (95 * CENT, 3 * CENT)


def shipped(cost: int, *off: int, percent: int = 10) -> PricedShipment:
    """Shipping in the US that costs so much before these discounts."""
    rates = Rates([Rate("US", "", "", "shipping", Decimal(percent) / 100)])
    wanted = Shipment("e", cost, HERE, tuple(Discount(Override(), amount) for amount in off))
    (made,) = calculate("USD", (), [wanted], None, {}, rates, NOW).shipments
    return made


def test_shipping_is_taxed_on_what_its_discounts_leave() -> None:
    made = shipped(10 * CENT * 100, 3 * CENT * 100, 50 * CENT)
    assert (made.cost, [d.amount for d in made.discounts]) == (1_000 * CENT, [300 * CENT, 50 * CENT])
    assert (made.discount, made.tax) == (350 * CENT, 65 * CENT)
    assert shipped(10 * CENT).discounts == ()


def test_discounts_on_shipping_are_taken_one_after_the_other_and_never_beyond_its_cost() -> None:
    made = shipped(10 * CENT, 6 * CENT, 0, 7 * CENT, 5 * CENT)
    assert ([d.amount for d in made.discounts], made.discount, made.tax) == ([6 * CENT, 4 * CENT], 10 * CENT, 0)


@given(st.integers(0, 10**10), st.lists(st.integers(-CENT, 10**10), max_size=6), st.integers(0, 100))
def test_what_is_left_of_shipping_is_whole_cents_of_which_the_tax_is_a_share(cost: int, off_it: list[int], percent: int) -> None:
    made = shipped(cost, *off_it, percent=percent)
    left = made.cost - made.discount
    assert made.discount == off(made.discounts)
    assert 0 <= left <= made.cost
    assert 0 <= made.tax <= left
    assert all(d.amount > 0 and d.amount % CENT == 0 for d in made.discounts)
    assert abs(made.tax - Decimal(left) * percent / 100) <= CENT / 2


@given(prices, quantities)
def test_a_subtotal_is_price_times_quantity_rounded_once(price: int, quantity: int) -> None:
    (line,) = calculate("USD", [Line("a", "p", quantity, unit_price_override=price)], (), None, {}, NO_RATES, NOW).lines
    assert abs(line.subtotal - price * quantity) <= CENT // 2


def test_only_lines_whose_price_moved_are_named() -> None:
    schedules = {"p": [schedule((1, 10))], "q": [schedule((1, 20))]}
    lines = [Line("a", "p", 1), Line("b", "q", 1)]
    found = changed("USD", lines, Quote({"a": QuotedPrice(10), "b": QuotedPrice(19)}), schedules, NO_RATES, NOW)
    assert [(p.line_id, p.reason) for p in found] == [("b", "PRICE_CHANGED")]
    assert all(isinstance(p, Problem) for p in found)


def test_lines_and_shipping_whose_tax_rate_moved_are_named() -> None:
    rates = Rates([Rate("US", "", "", "standard", Decimal("0.0825")), Rate("US", "", "", "shipping", Decimal("0.05"))])
    lines = [Line(id, "p", 1, unit_price_override=10) for id in ("same", "other", "unasked")]
    there = Destination("DE", "", "10115")
    shipping = [
        QuotedShipping("here", Decimal("0.050")),
        QuotedShipping("moved", Decimal("0.04")),
        QuotedShipping("there", Decimal(0), there),
        QuotedShipping("moved there", Decimal("0.05"), there),
    ]
    quote = Quote({}, {"same": Decimal("0.08250"), "other": Decimal("0.08")}, shipping, HERE)
    found = changed("USD", lines, quote, {}, rates, NOW)
    assert [(p.line_id, p.shipment_id, p.reason) for p in found] == [
        ("other", "", "TAX_CHANGED"),
        ("", "moved", "TAX_CHANGED"),
        ("", "moved there", "TAX_CHANGED"),
    ]
    assert quote.taxed(lines) == ({HERE, there}, {"standard", "shipping"})
    assert Quote().taxed(lines) == (set(), set())


def test_what_is_taxed_nobody_knows_where_is_named_and_what_costs_nothing_to_ship_is_not() -> None:
    lines = [Line("lost", "p", 1, unit_price_override=10), Line("known", "p", 1, unit_price_override=10, destination=HERE)]
    given = (Discount(Override(), 5 * CENT),)
    shipments = [Shipment("lost", 5 * CENT), Shipment("free", 0), Shipment("given", 5 * CENT, None, given)]
    shipments.append(Shipment("known", 5 * CENT, HERE))

    def named(must_know: bool) -> list[tuple[str, str, str]]:
        made = calculate("USD", lines, shipments, None, {}, NO_RATES, NOW, must_know)
        return [(p.line_id, p.shipment_id, p.reason) for p in made.problems]

    missing = [("lost", "", "TAX_DESTINATION_MISSING"), ("", "lost", "TAX_DESTINATION_MISSING")]
    assert (named(True), named(False)) == (missing, [])
    rates = {"lost": Decimal(0), "known": Decimal(0)}
    quote = Quote({}, rates, [QuotedShipping("lost", Decimal(0)), QuotedShipping("known", Decimal(0), HERE)])
    found = changed("USD", lines, quote, {}, NO_RATES, NOW, must_know=True)
    assert [(p.line_id, p.shipment_id, p.reason) for p in found] == missing
    assert changed("USD", lines, Quote({}, {"known": Decimal(0)}), {}, NO_RATES, NOW, must_know=True) == []


def test_fees_are_taxed_by_their_own_class_where_they_go() -> None:
    rates = Rates([Rate("US", "", "", "fees", Decimal("0.1")), Rate("US", "", "", "books", Decimal("0.055"))])
    fees = [Fee("a", 105 * CENT), Fee("b", 100 * CENT, "books"), Fee("c", 100 * CENT, destination=Destination("FR"))]
    made = calculate("USD", (), (), HERE, {}, rates, NOW, fees=fees)
    assert [(fee.tax, fee.tax_rate) for fee in made.fees] == [
        (11 * CENT, Decimal("0.1")),
        (6 * CENT, Decimal("0.055")),
        (0, Decimal(0)),
    ]


def test_fees_that_are_charged_need_a_place_of_taxation_and_have_a_largest_sum() -> None:
    lost = calculate("USD", (), (), None, {}, NO_RATES, NOW, must_know=True, fees=[Fee("a", CENT), Fee("free", 0)])
    assert [(p.fee_id, p.reason) for p in lost.problems] == [("a", "TAX_DESTINATION_MISSING")]
    dear = calculate("USD", (), (), HERE, {}, NO_RATES, NOW, fees=[Fee("a", LARGEST), Fee("b", CENT)])
    assert [(p.line_id, p.reason) for p in dear.problems] == [("", "AMOUNT_TOO_LARGE")]


def test_fees_that_are_taxed_otherwise_by_now_are_named() -> None:
    quote = Quote(fees=[QuotedFee("same", Decimal(0)), QuotedFee("other", Decimal("0.1"))], destination=HERE)
    assert quote.taxed(()) == ({HERE}, {"fees"})
    assert [(p.fee_id, p.reason) for p in changed("USD", (), quote, {}, NO_RATES, NOW)] == [("other", "TAX_CHANGED")]


def test_a_variant_with_schedules_of_its_own_is_priced_by_these_alone_with_extras_and_without_what_makes_it() -> None:
    bigger, boxed = (
        MarkUp("size", "l", MarkUpType.AMOUNT_PER_QUANTITY, {"USD": 7 * CENT}, defines_variant=True),
        MarkUp("box", "gift", MarkUpType.AMOUNT_TOTAL, {"USD": 3 * CENT}),
    )
    large = replace(schedule((1, 12 * CENT), (5, 11 * CENT)), cumulative=True)
    held = {"p": [schedule((1, 10 * CENT))], article("p", "l"): [large]}
    lines = [
        Line("own", "p", 3, mark_ups=(bigger, boxed), variant_id="l"),
        Line("more", "p", 2, variant_id="l"),
        Line("other", "p", 9, mark_ups=(bigger, boxed), variant_id="s"),
        Line("none", "p", 9),
    ]
    made = calculate("USD", lines, (), None, held, NO_RATES, NOW)
    assert [(line.price.unit, line.price.line) for line in made.lines] == [
        (11 * CENT, 3 * CENT),
        (11 * CENT, 0),
        (17 * CENT, 3 * CENT),
        (10 * CENT, 0),
    ]
    only = calculate("USD", [Line("a", "p", 1, variant_id="l"), Line("b", "p", 1)], (), None, {"p/l": held["p/l"]}, NO_RATES, NOW)
    assert ([line.id for line in only.lines], [(p.line_id, p.reason) for p in only.problems]) == (["a"], [("b", "PRICE_MISSING")])
