"""What chosen options add to the price of a line."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.money import MICRO, round_half_up
from services.pricing.domain.calculation.calculate import calculate
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.quote import Quote, QuotedPrice, changed
from services.pricing.domain.calculation.unit_prices import ByHand, FromSchedule
from services.pricing.domain.schedules.schedule import Break, Schedule
from services.pricing.domain.tax.rates import Rates

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NO_RATES = Rates(())
CENT = MICRO // 100


def mark_up(type: MarkUpType, amount: int = 0, percentage: str = "0", spec: str = "color") -> MarkUp:
    return MarkUp(spec, "red", type, {"USD": amount} if amount else {}, Decimal(percentage))


PER_UNIT = mark_up(MarkUpType.AMOUNT_PER_QUANTITY, 10 * MICRO)
ONCE = mark_up(MarkUpType.AMOUNT_TOTAL, 10 * MICRO, spec="engraving")
PERCENT = mark_up(MarkUpType.PERCENTAGE, percentage="10", spec="size")


def priced(*mark_ups: MarkUp, base: int = 50 * MICRO, quantity: int = 10, override: int | None = None, currency: str = "USD"):
    line = Line("a", "p", quantity, unit_price_override=override, mark_ups=mark_ups)
    return calculate(currency, [line], (), None, {"p": [Schedule("s", currency, (Break(1, base),))]}, NO_RATES, NOW)


@pytest.mark.parametrize(
    ("given", "subtotal"),
    [(mark_up(MarkUpType.NO_MARK_UP), 500), (PER_UNIT, 600), (ONCE, 510), (PERCENT, 550)],
    ids=["none", "per quantity", "total", "percentage"],
)
def test_the_four_kinds_add_what_the_reference_says(given: MarkUp, subtotal: int) -> None:
    assert priced(given).lines[0].subtotal == subtotal * MICRO


def test_an_amount_for_the_line_is_apart_from_the_price_of_a_unit() -> None:
    (line,) = priced(ONCE, PER_UNIT, quantity=3).lines
    assert (line.price.unit, line.price.line, line.subtotal) == (60 * MICRO, 10 * MICRO, 190 * MICRO)


def test_a_percentage_is_of_the_schedules_price_whatever_else_is_added() -> None:
    (line,) = priced(PER_UNIT, PERCENT).lines
    assert [step.unit for step in line.price.steps] == [50 * MICRO, 10 * MICRO, 5 * MICRO]


def test_a_part_of_a_micro_is_rounded_half_up() -> None:
    half = mark_up(MarkUpType.PERCENTAGE, percentage="50")
    assert [step.unit for step in priced(half, base=3).lines[0].price.steps] == [3, 2]


def test_the_steps_name_schedule_break_and_options_in_order() -> None:
    held = Schedule("s", "USD", (Break(1, 50 * MICRO), Break(10, 40 * MICRO, 30 * MICRO)), cumulative=True)
    lines = [Line("a", "p", 4, mark_ups=(ONCE, PERCENT)), Line("b", "p", 6)]
    first, second = calculate("USD", lines, (), None, {"p": [held]}, NO_RATES, NOW).lines
    source = FromSchedule("s", break_quantity=10, counted_quantity=10, on_sale=True)
    assert [step.source for step in first.price.steps] == [source, ONCE, PERCENT]
    assert [step.source for step in second.price.steps] == [source]


def test_a_price_set_by_hand_takes_no_mark_up() -> None:
    (line,) = priced(PER_UNIT, ONCE, override=7 * MICRO).lines
    assert ([step.source for step in line.price.steps], line.subtotal) == ([ByHand()], 70 * MICRO)


def test_an_option_without_an_amount_in_the_orders_currency_is_a_problem_of_its_line() -> None:
    (problem,) = priced(PER_UNIT, currency="EUR").problems
    assert (problem.line_id, problem.reason) == ("a", "CURRENCY_MISMATCH")
    assert "color" in problem.description
    assert priced(PERCENT, mark_up(MarkUpType.NO_MARK_UP), currency="EUR").problems == ()


@pytest.mark.parametrize(
    ("quoted", "reasons"),
    [(QuotedPrice(50 * MICRO, 10 * MICRO), []), (QuotedPrice(50 * MICRO), ["PRICE_CHANGED"])],
    ids=["as it is", "other mark-up"],
)
def test_a_quote_holds_as_long_as_both_amounts_do(quoted: QuotedPrice, reasons: list[str]) -> None:
    schedules = {"p": [Schedule("s", "USD", (Break(1, 50 * MICRO),))]}
    found = changed("USD", [Line("a", "p", 2, mark_ups=(ONCE,))], Quote({"a": quoted}), schedules, NO_RATES, NOW)
    assert [problem.reason for problem in found] == reasons


_MARK_UPS = st.lists(
    st.one_of(
        st.builds(mark_up, st.just(MarkUpType.AMOUNT_PER_QUANTITY), st.integers(1, 10**9)),
        st.builds(mark_up, st.just(MarkUpType.AMOUNT_TOTAL), st.integers(1, 10**9).map(lambda n: n * CENT)),
        st.builds(
            lambda text: mark_up(MarkUpType.PERCENTAGE, percentage=text),
            st.decimals(0, 1_000, places=4, allow_nan=False).map(str),
        ),
        st.just(mark_up(MarkUpType.NO_MARK_UP)),
    ),
    max_size=6,
)


@given(base=st.integers(0, 10**12), quantity=st.integers(1, 10_000), mark_ups=_MARK_UPS, seed=st.randoms())
def test_price_and_subtotal_are_the_sums_of_the_steps_in_any_order(base, quantity, mark_ups, seed) -> None:
    (line,) = priced(*mark_ups, base=base, quantity=quantity).lines
    assert line.price.unit == sum(step.unit for step in line.price.steps)
    assert line.price.line == sum(step.line for step in line.price.steps)
    assert line.subtotal == round_half_up(line.price.unit * quantity + line.price.line, CENT)
    assert all(step.unit >= 0 and step.line >= 0 for step in line.price.steps)
    shuffled = list(mark_ups)
    seed.shuffle(shuffled)
    assert priced(*shuffled, base=base, quantity=quantity).lines[0].subtotal == line.subtotal
