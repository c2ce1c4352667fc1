"""Why units come from where they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.channels import policy
from services.fulfillment.domain.sourcing.explain import explain
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.sourcing.stages import MOST_STAGES, NAMES, STAGES, STRATEGIES
from tests.unit.fulfillment.builders import line, stock

WANT = line("l1", 5, default_supplier_id="bolt", supplier_ids=("nut",))


def test_every_strategy_is_made_of_stages_that_there_are_and_no_stage_is_left_over() -> None:
    assert set(STRATEGIES) == set(Strategy)
    assert {name for names in STRATEGIES.values() for name in names} == set(STAGES)


def test_channels_can_name_the_stages_that_there_are() -> None:
    assert NAMES == policy.STAGES
    assert {"", *Strategy} == policy.STRATEGIES
    assert policy.MOST_STAGES == MOST_STAGES


def test_a_channel_that_names_stages_is_sourced_by_them_in_their_order() -> None:
    stocks = [
        stock("a", supplier="nut", priority=0),
        stock("b", supplier="bolt", priority=2),
        stock("c", priority=1, supplier="bolt"),
    ]
    of: dict[tuple[str, ...], list[str]] = {
        ("priority",): ["a", "c", "b"],
        ("default_supplier", "priority"): ["c", "b", "a"],
        ("default_supplier",): ["b", "c", "a"],
        ("fewest_parcels",): ["a", "b", "c"],
    }
    for stages, expected in of.items():
        outcome, found = explain(stages, [WANT], stocks)
        assert [e.stock.id for e in found["l1"]] == expected, stages
        assert outcome == source(stages, [WANT], stocks)
    _, found = explain(("default_supplier",), [WANT], stocks)
    assert [e.behind_by for e in found["l1"]] == ["", "record_id", "default_supplier"]


def test_each_candidate_has_its_place_and_the_stage_that_put_it_behind() -> None:
    stocks = [
        stock("a", on_hand=1, supplier="nut", priority=0),
        stock("b", on_hand=1, supplier="bolt", priority=2),
        stock("c", on_hand=1, supplier="bolt", priority=1, can_exceed=True),
        stock("d", on_hand=1, supplier="bolt", priority=2),
    ]
    _, found = explain(Strategy.DEFAULT_SUPPLIER, [WANT], stocks)
    assert [(e.stock.id, e.place, e.behind_by, e.quantity, e.exceeding) for e in found["l1"]] == [
        ("c", 1, "", 2, 1),
        ("b", 2, "priority", 1, 0),
        ("d", 3, "record_id", 1, 0),
        ("a", 4, "default_supplier", 1, 0),
    ]


@pytest.mark.parametrize(
    ("of", "asked", "why"),
    [
        ({"supplier": "other"}, {}, "SUPPLIER_NOT_ALLOWED"),
        ({"supplier": "bolt", "active": False}, {}, "INACTIVE"),
        ({"supplier": "bolt"}, {"inventory_record_id": "z"}, "OTHER_RECORD"),
        ({"supplier": "bolt", "pickup": True}, {"pickup_location_id": "shop"}, "NO_PICKUP"),
        ({"supplier": "bolt", "location": "shop"}, {"pickup_location_id": "shop"}, "NO_PICKUP"),
        ({"supplier": "bolt", "location": "shop", "pickup": True}, {"pickup_location_id": "shop"}, None),
    ],
)
def test_what_is_excluded_says_by_what(of: dict[str, object], asked: dict[str, object], why: str | None) -> None:
    _, found = explain(Strategy.PRIORITY, [line("l1", 1, default_supplier_id="bolt", **asked)], [stock("a", **of)])
    (only,) = found["l1"]
    assert (only.excluded, only.place > 0, only.quantity > 0) == (why, why is None, why is None)


def test_what_one_line_takes_another_exceeds() -> None:
    lines = [line("l1", 2), line("l2", 2)]
    _, found = explain(Strategy.PRIORITY, lines, [stock("a", on_hand=3, can_exceed=True)])
    assert [(e.quantity, e.exceeding) for x in lines for e in found[x.line_item_id]] == [(2, 0), (2, 1)]


@given(
    strategy=st.sampled_from(Strategy),
    wanted=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    there=st.lists(st.tuples(st.integers(-2, 9), st.sampled_from(["bolt", "nut", "other"]), st.booleans()), max_size=4),
)
def test_what_is_explained_is_what_is_decided(strategy: Strategy, wanted: list[int], there: list[tuple[int, str, bool]]) -> None:
    lines = [line(f"l{n}", q, default_supplier_id="bolt", supplier_ids=("nut",)) for n, q in enumerate(wanted)]
    stocks = [stock(f"r{n}", on_hand=q, supplier=s, can_exceed=x) for n, (q, s, x) in enumerate(there)]
    outcome, found = explain(strategy, lines, stocks)
    assert outcome == source(strategy, lines, stocks)
    taken = {(x, e.stock.id): e.quantity for x, entries in found.items() for e in entries if e.quantity}
    assert taken == {(a.line_item_id, a.record_id): a.quantity for a in outcome.assignments}
    assert all(len(entries) == len(stocks) for entries in found.values())
    for s in stocks:
        units = sum(e.quantity - e.exceeding for entries in found.values() for e in entries if e.stock is s)
        assert units <= max(0, s.available)
