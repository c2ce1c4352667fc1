from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.money import (
    CurrencyMismatch,
    Money,
    MoneyError,
    apportion,
    between,
    contained,
    is_minor,
    minor_unit,
    parse_micros,
    round_half_up,
    scale,
    share,
    total,
    without,
)

MICROS = st.integers(-(10**18), 10**18)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
RATES = st.decimals(-1000, 1000, allow_nan=False, allow_infinity=False, places=18)


@pytest.mark.parametrize(
    ("currency", "unit"), [("USD", 10_000), ("EUR", 10_000), ("JPY", 1_000_000), ("KWD", 1_000), ("CLF", 100), ("HUF", 10_000)]
)
def test_the_minor_unit_is_the_one_of_iso_4217(currency: str, unit: int) -> None:
    assert minor_unit(currency) == unit


@pytest.mark.parametrize("code", ["", "usd", "US", "XXY", "DOLLAR"])
def test_an_unknown_currency_has_no_minor_unit(code: str) -> None:
    with pytest.raises(MoneyError):
        minor_unit(code)


@pytest.mark.parametrize(
    ("text", "micros"),
    [("12.50", 12_500_000), ("-0.000001", -1), ("1e3", 1_000_000_000), (7, 7_000_000), (Decimal("0.10"), 100_000)],
)
def test_an_amount_is_read_exactly(text: str | int | Decimal, micros: int) -> None:
    assert Money.of(text, "USD") == Money(micros, "USD")


@pytest.mark.parametrize("text", ["0.0000001", "1.00000000000000000000000000000001", "twelve", "", "NaN", "Infinity", "1,5"])
def test_an_amount_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.of(text, "USD")


def test_a_huge_amount_with_a_fine_tail_is_not_silently_cut() -> None:
    with pytest.raises(MoneyError):
        parse_micros("123456789012345678901234567890.0000001")
    assert parse_micros("123456789012345678901234567890.000001") == 123456789012345678901234567890000001


@pytest.mark.parametrize(
    ("micros", "rounded"),
    [(12_344_999, 12_340_000), (12_345_000, 12_350_000), (-12_345_000, -12_350_000), (-12_344_999, -12_340_000), (0, 0)],
)
def test_rounding_takes_a_half_away_from_zero(micros: int, rounded: int) -> None:
    assert Money(micros, "USD").rounded() == Money(rounded, "USD")


def test_rounding_goes_to_the_currencys_own_minor_unit() -> None:
    assert Money.of("1234.5", "JPY").rounded() == Money.of(1235, "JPY")
    assert Money.of("1.2345", "KWD").rounded() == Money.of("1.235", "KWD")


def test_a_rate_is_applied_exactly_and_then_rounded_once() -> None:
    assert Money.of("10.05", "USD").times(Decimal("0.10")) == Money.of("1.01", "USD")
    assert Money.of("-10.05", "USD").times(Decimal("0.10")) == Money.of("-1.01", "USD")


@given(MICROS, RATES, CURRENCIES)
def test_a_product_is_the_nearest_multiple_of_the_minor_unit(micros: int, rate: Decimal, currency: str) -> None:
    unit = minor_unit(currency)
    exact = Fraction(micros) * Fraction(rate)
    got = Money(micros, currency).times(rate).micros
    assert got % unit == 0
    assert abs(got - exact) * 2 <= unit
    if abs(got - exact) * 2 == unit:
        assert abs(got) > abs(exact)


@given(MICROS, st.integers(1, 10**7))
def test_rounding_is_symmetric_and_idempotent(micros: int, unit: int) -> None:
    rounded = round_half_up(micros, unit)
    assert rounded % unit == 0
    assert round_half_up(-micros, unit) == -rounded
    assert round_half_up(rounded, unit) == rounded
    assert scale(micros, Decimal(1), unit) == rounded


@given(MICROS, st.decimals(0, 1, places=9), st.sampled_from([1, 10_000, 1_000_000]))
def test_an_amount_falls_into_a_part_and_what_the_part_is_counted_on(micros: int, rate: Decimal, unit: int) -> None:
    rest, part = Fraction(micros) / (1 + Fraction(rate)), micros - Fraction(micros) / (1 + Fraction(rate))
    for got, exact in ((without(micros, rate, unit), rest), (contained(micros, rate, unit), part)):
        assert got % unit == 0
        assert abs(got - exact) * 2 <= unit
        if abs(got - exact) * 2 == unit:
            assert abs(got) > abs(exact)
    assert contained(micros, Decimal(0), unit) == 0
    assert without(micros, Decimal(0), 1) == micros


def test_arithmetic_stays_in_one_currency() -> None:
    usd, eur = Money.of(1, "USD"), Money.of(1, "EUR")
    for mix in (lambda: usd + eur, lambda: usd - eur, lambda: usd < eur, lambda: usd >= eur, lambda: total([usd, eur], "USD")):
        with pytest.raises(CurrencyMismatch):
            mix()
    assert usd != eur


def test_arithmetic_is_exact() -> None:
    assert Money.of("0.1", "USD") + Money.of("0.2", "USD") == Money.of("0.3", "USD")
    assert Money.of("1", "USD") - Money.of("1.000001", "USD") == Money(-1, "USD")
    assert -Money.of("2", "USD") * 3 == Money.of("-6", "USD")
    assert Money(1, "USD").is_zero is False
    assert Money(-1, "USD").is_negative
    assert Money.of(2, "USD") > Money.of(1, "USD")
    assert total([], "USD") == Money.zero("USD")


WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


@given(MICROS, WEIGHTS, st.sampled_from([1, 100, 10_000, 1_000_000]))
def test_apportioned_parts_add_up_exactly(amount: int, weights: list[int], unit: int) -> None:
    parts = apportion(amount, weights, unit)
    assert len(parts) == len(weights)
    assert sum(parts) == amount


@given(MICROS, WEIGHTS)
def test_each_part_is_less_than_one_unit_from_its_exact_share(amount: int, weights: list[int]) -> None:
    unit = 10_000
    amount = amount // unit * unit
    shares = weights if any(weights) else [1] * len(weights)
    for part, wanted in zip(apportion(amount, weights, unit), shares, strict=True):
        assert part % unit == 0
        assert abs(part - Fraction(amount) * wanted / sum(shares)) < unit


@given(MICROS, WEIGHTS, st.sampled_from([1, 10_000]))
def test_who_weighs_nothing_gets_nothing_and_signs_do_not_mix(amount: int, weights: list[int], unit: int) -> None:
    parts = apportion(amount, weights, unit)
    for part, weight in zip(parts, weights, strict=True):
        assert part == 0 or (part < 0) == (amount < 0)
        if weight == 0 and any(weights):
            assert part == 0
    assert apportion(-amount, weights, unit) == tuple(-part for part in parts)


def test_ties_go_to_the_earlier_part() -> None:
    assert apportion(100, [1, 1, 1]) == (34, 33, 33)
    assert apportion(2, [1, 1, 1]) == (1, 1, 0)


def test_equal_parts_when_nothing_weighs() -> None:
    assert apportion(5, [0, 0]) == (3, 2)


def test_what_is_finer_than_the_unit_goes_to_the_first_part_with_a_weight() -> None:
    assert apportion(30_001, [0, 1, 1, 1], 10_000) == (0, 10_001, 10_000, 10_000)


def test_nothing_can_be_split_between_nobody() -> None:
    assert apportion(0, []) == ()
    with pytest.raises(ValueError, match="nobody"):
        apportion(1, [])
    with pytest.raises(ValueError, match="zero or more"):
        apportion(1, [2, -1])


UNITS = st.sampled_from([1, 1_000, 10_000, 1_000_000])


@st.composite
def cut_lines(draw: st.DrawFn) -> tuple[int, int, list[int], int]:
    """An amount, a quantity, the ends of the pieces that it is cut into, and a minor unit."""
    quantity = draw(st.integers(1, 10**6))
    ends = sorted(draw(st.lists(st.integers(0, quantity), max_size=12)))
    return draw(MICROS), quantity, [*ends, quantity], draw(UNITS)


@given(cut_lines())
def test_units_cost_their_line_exactly_in_whatever_pieces(case: tuple[int, int, list[int], int]) -> None:
    amount, quantity, ends, unit = case
    pieces = [between(amount, quantity, start, end, unit) for start, end in zip([0, *ends], ends, strict=False)]
    assert sum(pieces) == amount
    assert all(piece == 0 or (piece < 0) == (amount < 0) for piece in pieces)


@given(cut_lines())
def test_units_cost_what_the_currency_has_and_less_than_one_minor_unit_beside_their_share(
    case: tuple[int, int, list[int], int],
) -> None:
    amount, quantity, ends, unit = case
    amount = amount // unit * unit
    for units in ends:
        cost = share(amount, quantity, units, unit)
        assert cost % unit == 0
        assert abs(cost - Fraction(amount) * units / quantity) <= Fraction(unit, 2)
        assert share(-amount, quantity, units, unit) == -cost


@pytest.mark.parametrize(("units", "cost"), [(0, 0), (1, 330_000), (2, 670_000), (3, 1_000_000)])
def test_a_third_of_a_dollar_is_rounded_half_up(units: int, cost: int) -> None:
    assert share(1_000_000, 3, units, 10_000) == cost


def test_the_last_units_cost_what_the_first_ones_leave() -> None:
    assert [between(1_000_000, 3, n, n + 1, 10_000) for n in range(3)] == [330_000, 340_000, 330_000]


def test_a_line_of_no_units_costs_what_it_holds() -> None:
    assert share(0, 0, 0) == 0


@pytest.mark.parametrize(("quantity", "units"), [(3, 4), (3, -1), (0, 1)])
def test_more_units_than_a_line_has_cost_no_amount(quantity: int, units: int) -> None:
    with pytest.raises(ValueError, match="no number of units"):
        share(100, quantity, units)


def test_a_slice_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="no slice"):
        between(100, 3, 2, 1)


@pytest.mark.parametrize(
    ("amount", "currency", "has"),
    [("0.01", "USD", True), ("0.001", "USD", False), ("0.5", "JPY", False), ("-5", "JPY", True), ("0.001", "KWD", True)],
)
def test_a_currency_has_multiples_of_its_minor_unit(amount: str, currency: str, has: bool) -> None:
    assert is_minor(parse_micros(amount), currency) is has
