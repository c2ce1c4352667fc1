"""Units sold beyond the stock: how many, and of which record."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.sourcing.assign import demand
from services.fulfillment.domain.sourcing.backorder import allowed, backorderable, covers, lowered
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.pipeline import follow, source
from services.fulfillment.domain.stock.availability import whole
from tests.unit.fulfillment.builders import line, stock

JUNE = datetime(2030, 6, 1, tzinfo=UTC)
JULY = datetime(2030, 7, 1, tzinfo=UTC)


def test_a_limit_counts_only_where_a_record_may_be_exceeded() -> None:
    assert [allowed(False, None), allowed(False, 5), allowed(True, 5), allowed(True, None)] == [0, 0, 5, None]
    assert [backorderable(3, 5), backorderable(-2, 5), backorderable(-9, 5), backorderable(-9, None)] == [5, 3, 0, None]
    assert [covers(5, -5), covers(5, -6), covers(0, 0), covers(None, -99)] == [True, False, True, True]
    assert [lowered(None, 5), lowered(5, 4), lowered(5, 5), lowered(0, 5), lowered(0, None)] == [True, True, False, False, False]


def test_real_stock_goes_first_then_the_excess_of_the_best_then_that_of_the_next() -> None:
    stocks = [
        stock("a", on_hand=2, can_exceed=True, backorder_limit=3),
        stock("b", on_hand=1),
        stock("c", on_hand=0, can_exceed=True, backorder_limit=4),
    ]
    found = source(Strategy.PRIORITY, [line(quantity=10)], stocks)
    assert [(a.record_id, a.quantity) for a in found.assignments] == [("a", 5), ("b", 1), ("c", 4)]
    assert [a.backordered for a in found.assignments] == [3, 0, 4]
    short = source(Strategy.PRIORITY, [line(quantity=11)], stocks)
    assert [p.missing_quantity for p in short.problems] == [1]


def test_a_plan_holds_up_to_the_limit() -> None:
    lines, wide = [line(quantity=5)], stock("a", on_hand=2, can_exceed=True, backorder_limit=3)
    plan = source(Strategy.PRIORITY, lines, [wide]).assignments
    assert follow(lines, plan, [wide]) == frozenset()
    narrow = stock("a", on_hand=2, can_exceed=True, backorder_limit=2)
    assert follow(lines, plan, [narrow]) == {"l1"}


@given(
    st.lists(st.tuples(st.integers(-3, 6), st.booleans(), st.none() | st.integers(0, 5)), min_size=1, max_size=4),
    st.lists(st.integers(1, 8), min_size=1, max_size=4),
    st.sampled_from(Strategy),
)
def test_no_record_is_promised_beyond_its_limit_and_what_is_assigned_is_a_plan_that_holds(records, quantities, strategy) -> None:
    stocks = [
        stock(f"r{n}", on_hand=9, allocated=9 - available, can_exceed=more, backorder_limit=limit)
        for n, (available, more, limit) in enumerate(records)
    ]
    lines = [line(f"l{n}", quantity) for n, quantity in enumerate(quantities)]
    outcome = source(strategy, lines, stocks)
    wanted = demand(outcome.assignments)
    for s in stocks:
        if s.excess is not None:
            assert wanted.get(s.key, 0) <= max(0, s.available + s.excess)
    if not outcome.problems:
        assert follow(lines, outcome.assignments, stocks) == frozenset()


def test_availability_says_what_is_there_what_may_be_ordered_beyond_it_and_when_it_comes() -> None:
    full = stock("a", on_hand=2, can_exceed=True, backorder_limit=3, expected_time=JULY)
    sold = stock("b", on_hand=2, allocated=6, can_exceed=True, backorder_limit=4, expected_time=JUNE)
    endless = stock("c", on_hand=1, can_exceed=True, expected_time=JUNE)
    plain = stock("d", on_hand=1, expected_time=JUNE)
    seen = [whole(s) for s in ([full, sold, plain], [full, endless], [sold], [plain])]
    assert [(x.available, x.can_exceed, x.backorderable, x.expected_time) for x in seen] == [
        (3, True, 3, JULY),
        (3, True, None, JUNE),
        (0, False, 0, None),
        (1, False, 0, None),
    ]
