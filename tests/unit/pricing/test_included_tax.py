"""Prices that include their tax, alone and beside prices that tax comes on top of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.discounts import Discount, Override
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.quote import Quote, QuotedPrice, changed
from services.pricing.domain.schedules.schedule import Break, Schedule, SchedulesByProduct
from services.pricing.domain.tax.rates import Destination, Rate, Rates

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CENT = 10_000
EURO = 100 * CENT
HERE = Destination("DE", "", "10115")


def rates(standard: str = "0.19", **classes: str) -> Rates:
    """Rates in Germany by class; freight has none unless it is named."""
    return Rates(Rate("DE", "", "", name, Decimal(rate)) for name, rate in {"standard": standard, **classes}.items())


def priced(price: int, included: bool, id: str = "s", least: int = 1) -> Schedule:
    """A schedule of one price."""
    return Schedule(id, "EUR", (Break(least, price),), tax_included=included)


def worked_out(
    lines: Sequence[Line], schedules: SchedulesByProduct, taxed: Rates, shipments: Sequence[Shipment] = ()
) -> Calculation:
    """The calculation of an order that goes to Germany, which has no problem."""
    made = calculate("EUR", lines, shipments, HERE, schedules, taxed, NOW)
    assert made.problems == ()
    return made


BOTH = {"with": (priced(119 * EURO, True),), "on_top": (priced(100 * EURO, False),)}


def test_what_a_price_includes_is_in_the_subtotal_and_nothing_comes_on_top() -> None:
    with_, on_top = worked_out([Line("a", "with", 1), Line("b", "on_top", 1)], BOTH, rates()).lines
    assert (with_.subtotal, with_.tax, with_.included_tax, with_.price.tax_included) == (119 * EURO, 0, 19 * EURO, True)
    assert (on_top.subtotal, on_top.tax, on_top.included_tax, on_top.price.tax_included) == (100 * EURO, 19 * EURO, 0, False)
    assert with_.tax_rate == on_top.tax_rate == Decimal("0.19")


def test_a_discount_takes_its_share_of_the_included_tax_along() -> None:
    (line,) = worked_out([Line("a", "with", 1, discount_override=119 * EURO // 2)], BOTH, rates()).lines
    assert (line.discount, line.included_tax, line.tax) == (59_500_000, 9_500_000, 0)


def test_a_mark_up_on_a_price_with_tax_is_with_tax() -> None:
    engraved = MarkUp("engraving", "yes", MarkUpType.AMOUNT_TOTAL, {"EUR": 119 * EURO})
    (line,) = worked_out([Line("a", "with", 1, mark_ups=(engraved,))], BOTH, rates()).lines
    assert (line.subtotal, line.included_tax) == (238 * EURO, 38 * EURO)


@pytest.mark.parametrize("rate", ["0", "0.0"])
def test_at_a_rate_of_nothing_nothing_is_included(rate: str) -> None:
    (line,) = worked_out([Line("a", "with", 1)], BOTH, rates(rate)).lines
    assert (line.price.tax_included, line.included_tax, line.tax) == (True, 0, 0)


@pytest.mark.parametrize(
    ("holding", "included"),
    [
        ((priced(EURO, True),), True),
        ((priced(EURO, False),), False),
        ((), False),
        # Of several the one that would have been taken; of those without a price for the quantity the first.
        ((priced(2 * EURO, True, "a"), priced(EURO, False, "b")), False),
        ((priced(2 * EURO, False, "a"), priced(EURO, True, "b")), True),
        ((priced(2 * EURO, True, "a", least=9), priced(EURO, False, "b", least=9)), True),
    ],
)
def test_a_price_that_was_set_by_hand_includes_its_tax_where_the_schedules_price_does(
    holding: tuple[Schedule, ...], included: bool
) -> None:
    (line,) = worked_out([Line("a", "p", 1, unit_price_override=119 * EURO)], {"p": holding}, rates()).lines
    assert line.price.tax_included is included
    assert (line.tax > 0, line.included_tax) == (not included, 19 * EURO if included else 0)


def test_freight_that_includes_its_tax_has_it_in_what_its_discounts_leave() -> None:
    off = (Discount(Override(), 119 * EURO),)
    freight = [Shipment("with", 238 * EURO, HERE, off, tax_included=True), Shipment("on_top", 100 * EURO, HERE)]
    with_, on_top = worked_out((), {}, rates(shipping="0.19"), freight).shipments
    assert (with_.cost, with_.tax, with_.included_tax) == (238 * EURO, 0, 19 * EURO)
    assert (on_top.tax, on_top.included_tax) == (19 * EURO, 0)


def test_a_submit_refuses_a_price_of_which_the_tax_is_included_by_now() -> None:
    lines = [Line(id, "with", 1) for id in ("same", "other")] + [Line("by hand", "with", 1, unit_price_override=5)]
    quoted = {"same": QuotedPrice(119 * EURO, tax_included=True), "other": QuotedPrice(119 * EURO)}
    found = changed("EUR", lines, Quote(quoted), BOTH, rates(), NOW)
    assert [(p.line_id, p.reason) for p in found] == [("other", "PRICE_CHANGED")]


def half_up(exact: Fraction) -> int:
    """Micros rounded to the cent, worked out with fractions."""
    return int((exact / CENT + Fraction(1, 2)).__floor__()) * CENT


ORDERED = st.builds(
    Line,
    id=st.uuids().map(str),
    product_id=st.sampled_from(["with", "on_top", "cheap", "nowhere"]),
    quantity=st.integers(1, 1_000),
    tax_class=st.sampled_from(["", "food"]),
    unit_price_override=st.none() | st.integers(0, 10**10),
    mark_ups=st.sampled_from([(), (MarkUp("s", "o", MarkUpType.PERCENTAGE, percentage=Decimal("12.5")),)]),
)
FREIGHT = st.builds(Shipment, id=st.uuids().map(str), cost=st.integers(0, 10**9), tax_included=st.booleans())
KNOWN = {**BOTH, "cheap": (priced(3_333, True),)}


@given(st.lists(ORDERED, max_size=8), st.lists(FREIGHT, max_size=4), st.integers(0, 10_000), st.randoms())
def test_mixed_orders_add_up_and_the_order_of_their_lines_changes_nothing(
    lines: list[Line], freight: list[Shipment], points: int, random: object
) -> None:
    rate = Fraction(points, 10_000)
    taxed = rates(str(Decimal(points) / 10_000), food="0.07", shipping="0.19")

    def made(ordered: Sequence[Line]) -> Calculation:
        return calculate("EUR", ordered, freight, HERE, KNOWN, taxed, NOW)

    first = made(lines)
    for line in first.lines:
        net, mine = line.subtotal - line.discount, Fraction(7, 100) if line.tax_rate == Decimal("0.07") else rate
        included = line.price.tax_included
        assert (line.tax, line.included_tax) == ((0, half_up(net - net / (1 + mine))) if included else (half_up(net * mine), 0))
        assert 0 <= line.included_tax <= net
    for shipment in first.shipments:
        net = shipment.cost - shipment.discount
        tax = half_up(Fraction(net) * Fraction(19, 100))
        included = half_up(net - net / (1 + Fraction(19, 100)))
        assert (shipment.tax, shipment.included_tax) == ((0, included) if shipment.tax_included else (tax, 0))
    assert made(lines) == first
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = made(shuffled)
    assert {line.id: line for line in again.lines} == {line.id: line for line in first.lines}
    assert {p.line_id: p.reason for p in again.problems} == {p.line_id: p.reason for p in first.problems}
