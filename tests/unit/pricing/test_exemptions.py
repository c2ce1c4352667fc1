"""Buyers that are exempt from a tax: none on top, and prices without the tax that they include."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.fees import Fee
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.quote import Quote, QuotedFee, QuotedPrice, QuotedShipping, changed
from services.pricing.domain.calculation.unit_prices import Exempted
from services.pricing.domain.schedules.schedule import Break, Schedule
from services.pricing.domain.tax.exemptions import Exemption, Exemptions
from services.pricing.domain.tax.rates import Destination, Rate, Rates

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CENT = 10_000
EURO = 100 * CENT
HERE, ELSEWHERE = Destination("DE", "", "10115"), Destination("FR", "", "75001")
RATES = Rates(
    Rate(country, "", "", name, Decimal(rate))
    for country in ("DE", "FR")
    for name, rate in (("standard", "0.19"), ("food", "0.07"), ("shipping", "0.19"))
)
SCHEDULES = {
    "with": (Schedule("with", "EUR", (Break(1, 119 * EURO),), tax_included=True),),
    "on_top": (Schedule("on_top", "EUR", (Break(1, 100 * EURO),)),),
}
ALL = Exemption("DE", "C-1")


def worked_out(
    lines: Sequence[Line], *exemptions: Exemption, shipments: Sequence[Shipment] = (), place: Destination | None = HERE
) -> Calculation:
    return calculate("EUR", lines, shipments, place, SCHEDULES, RATES, NOW, exemptions=Exemptions(exemptions, NOW))


def test_an_exempt_buyer_pays_net_whether_the_tax_is_included_or_on_top() -> None:
    with_, on_top = worked_out([Line("a", "with", 1), Line("b", "on_top", 1)], ALL).lines
    for line in (with_, on_top):
        assert (line.subtotal, line.tax, line.included_tax, line.tax_rate) == (100 * EURO, 0, 0, 0)
        assert not line.price.tax_included
    assert with_.price.steps[-1].source == Exempted("C-1", Decimal("0.19"))
    assert [step.unit for step in with_.price.steps] == [119 * EURO, -19 * EURO]
    assert len(on_top.price.steps) == 1


def test_the_unit_price_and_what_is_added_once_lose_their_tax_to_the_micro() -> None:
    engraved = MarkUp("engraving", "yes", MarkUpType.AMOUNT_TOTAL, {"EUR": 10 * EURO})
    (line,) = worked_out([Line("a", "with", 3, mark_ups=(engraved,))], ALL).lines
    assert (line.price.unit, line.price.line) == (100 * EURO, 8_403_361)
    assert line.subtotal == 308_400_000
    (by_hand,) = worked_out([Line("a", "with", 1, unit_price_override=10 * EURO)], ALL).lines
    assert (by_hand.price.unit, by_hand.subtotal) == (8_403_361, 8_400_000)


def test_freight_of_an_exempt_buyer_is_net_and_says_what_came_off() -> None:
    freight = [Shipment("with", 119 * EURO, tax_included=True), Shipment("on_top", 100 * EURO)]
    with_, on_top = worked_out((), ALL, shipments=freight).shipments
    assert (with_.cost, with_.exempted_tax, with_.tax, with_.included_tax) == (100 * EURO, 19 * EURO, 0, 0)
    assert (on_top.cost, on_top.exempted_tax, on_top.tax, on_top.tax_rate) == (100 * EURO, 0, 0, 0)


def test_fees_of_an_exempt_buyer_are_untaxed_by_their_own_class() -> None:
    held = Exemptions([Exemption("DE", "C-1", "food")], NOW)
    fees = [Fee("a", 10 * EURO, "food"), Fee("b", 10 * EURO, "standard"), Fee("c", 10 * EURO, "food", ELSEWHERE)]
    made = calculate("EUR", (), (), HERE, {}, RATES, NOW, exemptions=held, fees=fees).fees
    assert [(fee.amount, fee.tax) for fee in made] == [(10 * EURO, 0), (10 * EURO, 190 * CENT), (10 * EURO, 70 * CENT)]
    quote = Quote(fees=[QuotedFee("a", Decimal(0), "food"), QuotedFee("b", Decimal("0.19"), "standard")], destination=HERE)
    assert changed("EUR", (), quote, {}, RATES, NOW, exemptions=held) == []
    assert [(p.fee_id, p.reason) for p in changed("EUR", (), quote, {}, RATES, NOW)] == [("a", "TAX_CHANGED")]


@pytest.mark.parametrize(
    ("exemption", "place", "exempt"),
    [
        (ALL, HERE, True),
        (ALL, ELSEWHERE, False),
        (ALL, None, False),
        (Exemption("DE", "C", "food"), HERE, False),
        (Exemption("DE", "C", "standard"), HERE, True),
        (Exemption("DE", "C", start=NOW), HERE, True),
        (Exemption("DE", "C", start=NOW + timedelta(seconds=1)), HERE, False),
        (Exemption("DE", "C", end=NOW), HERE, False),
        (Exemption("DE", "C", end=NOW + timedelta(seconds=1)), HERE, True),
    ],
)
def test_an_exemption_is_of_a_country_and_perhaps_a_class_and_holds_within_its_times(
    exemption: Exemption, place: Destination | None, exempt: bool
) -> None:
    (line,) = worked_out([Line("a", "on_top", 1)], exemption, place=place).lines
    assert (line.tax == 0) == (exempt or place is None)
    (with_,) = worked_out([Line("a", "with", 1)], exemption, place=place).lines
    assert (with_.subtotal == 100 * EURO) == exempt


def test_the_first_that_fits_is_the_one_that_is_named() -> None:
    (line,) = worked_out([Line("a", "with", 1)], Exemption("FR", "no"), Exemption("DE", "first"), ALL).lines
    assert line.price.steps[-1].source == Exempted("first", Decimal("0.19"))


def test_a_submit_sees_that_an_exemption_has_ended() -> None:
    lines = [Line("a", "with", 1), Line("b", "on_top", 1)]
    quote = Quote(
        {"a": QuotedPrice(100 * EURO), "b": QuotedPrice(100 * EURO)},
        {"a": Decimal(0), "b": Decimal(0)},
        [QuotedShipping("e", Decimal(0))],
        HERE,
    )

    def reasons(*held: Exemption) -> list[tuple[str, str, str]]:
        found = changed("EUR", lines, quote, SCHEDULES, RATES, NOW, exemptions=Exemptions(held, NOW))
        return [(p.line_id, p.shipment_id, p.reason) for p in found]

    assert reasons(ALL) == []
    assert reasons(Exemption("DE", "C-1", end=NOW)) == [
        ("a", "", "PRICE_CHANGED"),
        ("a", "", "TAX_CHANGED"),
        ("b", "", "TAX_CHANGED"),
        ("", "e", "TAX_CHANGED"),
    ]
    untaxed = Quote({"a": QuotedPrice(100 * EURO)}, destination=HERE)
    assert untaxed.taxed(lines, all=True) == ({HERE}, {"standard"})


LINES = st.builds(
    Line,
    id=st.uuids().map(str),
    product_id=st.sampled_from(["with", "on_top"]),
    quantity=st.integers(1, 50),
    tax_class=st.sampled_from(["", "food"]),
    unit_price_override=st.none() | st.integers(0, 10**9),
    destination=st.sampled_from([None, HERE, ELSEWHERE]),
)


@given(st.lists(LINES, max_size=8), st.sets(st.sampled_from(["", "food", "standard", "shipping"])))
def test_in_mixed_orders_exempt_lines_bear_no_tax_and_the_others_are_as_without_an_exemption(
    lines: list[Line], classes: set[str]
) -> None:
    held = [Exemption("DE", name or "all", name) for name in sorted(classes)]
    plain = {line.id: line for line in worked_out(lines).lines}
    made = worked_out(lines, *held)
    assert worked_out(lines, *held) == made
    for asked in lines:
        line, before = next(x for x in made.lines if x.id == asked.id), plain[asked.id]
        place, name = asked.destination or HERE, asked.tax_class or "standard"
        if place == ELSEWHERE or not {"", name} & classes:
            assert line == before
            continue
        exact = Fraction(before.price.unit)
        if before.price.tax_included:
            exact /= 1 + Fraction(before.tax_rate)
        assert (line.tax, line.included_tax, line.tax_rate) == (0, 0, 0)
        assert line.price.unit == (exact + Fraction(1, 2)).__floor__()
        assert line.subtotal <= before.subtotal
