"""Other plans for the same lines, whose freight may be lower."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.sourcing import alternatives as module
from services.fulfillment.domain.sourcing.alternatives import MOST_ASSIGNMENTS, MOST_PLANS, Plan, alternatives
from services.fulfillment.domain.sourcing.model import Line, Ranking, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from tests.unit.fulfillment.builders import line, stock

BY = ("default_supplier", "priority", "lowest_freight")


def others(ranking: Ranking, lines: list[Line], stocks: list[Stock]) -> list[list[tuple[str, str, int]]]:
    """Each as line, record and units."""
    found = alternatives(ranking, lines, stocks, source(ranking, lines, stocks))
    return [[(a.line_item_id, a.record_id, a.quantity) for a in plan] for plan in found]


def test_other_plans_follow_the_strategies_and_then_do_without_a_location() -> None:
    lines = [line("l1", 2, "p", default_supplier_id="bolt", supplier_ids=("nut",)), line("l2", 1, "q", supplier_ids=("nut",))]
    stocks = [
        stock("a", product="p", supplier="bolt", location="b1", on_hand=9),
        stock("b", product="p", supplier="nut", location="n1", on_hand=9),
        stock("c", product="q", supplier="nut", location="n1", on_hand=9),
        stock("d", product="q", supplier="nut", location="n2", on_hand=9),
    ]
    assert others(BY, lines, stocks) == [[("l1", "b", 2), ("l2", "c", 1)], [("l1", "a", 2), ("l2", "d", 1)]]


@pytest.mark.parametrize("ranking", [*Strategy, ("priority",), ()])
def test_without_the_stage_there_is_one_plan(ranking: Ranking) -> None:
    assert others(ranking, [line()], [stock("a", location="x"), stock("b", location="y")]) == []


@pytest.mark.parametrize("ranking", [Strategy.DEFAULT_SUPPLIER, ("priority",)])
def test_whoever_compares_is_answered_others_whatever_chooses_locations(ranking: Ranking) -> None:
    lines, stocks = [line()], [stock("a", location="x"), stock("b", location="y")]
    first = source(ranking, lines, stocks)
    (other,) = alternatives(ranking, lines, stocks, first, compare=True)
    assert [[a.record_id for a in plan] for plan in (first.assignments, other)] == [["a"], ["b"]]


def test_what_cannot_be_sourced_or_only_later_is_no_alternative() -> None:
    assert others(BY, [line(quantity=5)], [stock("a", on_hand=1), stock("b", on_hand=1, location="y")]) == []
    later = [stock("a", on_hand=5, location="x"), stock("b", on_hand=0, location="y", can_exceed=True)]
    assert others(BY, [line(quantity=5)], later) == []


def test_plans_and_their_assignments_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(f"l{n}", 1, f"p{n}") for n in range(20)]
    stocks = [stock(f"{n}-{at}", product=f"p{n}", location=f"{at}-{n}", on_hand=1) for n in range(20) for at in range(2)]
    assert len(others(BY, lines, stocks)) == MOST_PLANS - 1
    monkeypatch.setattr(module, "MOST_ASSIGNMENTS", 70)
    assert len(others(BY, lines, stocks)) == 2
    assert MOST_ASSIGNMENTS == 10_000


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("xyz"), st.integers(0, 1), st.booleans()), max_size=5),
)
def test_every_alternative_is_complete_and_another(wanted: list[int], there: list[tuple[int, str, int, bool]]) -> None:
    lines = [line(f"l{n}", quantity) for n, quantity in enumerate(wanted)]
    stocks = [
        stock(f"s{n}", on_hand=on_hand, location=at, priority=priority, can_exceed=exceeds)
        for n, (on_hand, at, priority, exceeds) in enumerate(there)
    ]
    first = source(BY, lines, stocks)
    plans: list[Plan] = [first.assignments, *alternatives(BY, lines, stocks, first)]
    seen = [frozenset((a.line_item_id, a.record_id, a.quantity) for a in plan) for plan in plans]
    assert len(set(seen)) == len(seen)
    for plan in plans[1:]:
        assert [sum(a.quantity for a in plan if a.line_item_id == x.line_item_id) for x in lines] == wanted
        assert sum(a.backordered for a in plan) <= sum(a.backordered for a in first.assignments)
