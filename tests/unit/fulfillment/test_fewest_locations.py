"""Few locations: the same choice as counting every location again for every choice, at a fraction of the counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.sourcing import fewest_locations
from services.fulfillment.domain.sourcing.candidates import candidates, eligible
from services.fulfillment.domain.sourcing.model import Line, Stock
from tests.unit.fulfillment.builders import line, stock


def plainly(lines: Sequence[Line], found: Mapping[str, tuple[Stock, ...]]) -> dict[fewest_locations.Location, int]:
    """Greedy set cover as it is defined: all places counted anew, the best one chosen."""
    open_units = {x.line_item_id: x.quantity for x in lines if found[x.line_item_id]}
    here: dict[fewest_locations.Location, list[tuple[str, Stock]]] = {}
    for x in lines:
        for s in found[x.line_item_id]:
            here.setdefault((s.supplier_id, s.location_id), []).append((x.line_item_id, s))
    best = {place: min(s.priority for _, s in offers) for place, offers in here.items()}
    chosen: dict[fewest_locations.Location, int] = {}
    while open_units and len(chosen) < len(here):
        cover = {place: fewest_locations.covered(offers, open_units) for place, offers in here.items() if place not in chosen}
        place = min(cover, key=lambda p: (-sum(cover[p].values()), best[p], p))
        if not cover[place]:
            break
        chosen[place] = len(chosen)
        for line_id, units in cover[place].items():
            open_units[line_id] -= units
            if not open_units[line_id]:
                del open_units[line_id]
    return chosen


PRODUCTS, SUPPLIERS, PLACES = ("drill", "bit", "saw"), ("bolt", "nut"), ("east", "west", "north")
LINES = st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(1, 9), st.sampled_from(("", "r0", "r1", "r2"))), max_size=6)
STOCKS = st.lists(
    st.tuples(
        st.sampled_from(PRODUCTS),
        st.sampled_from(SUPPLIERS),
        st.sampled_from(PLACES),
        st.integers(0, 9),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=10,
)


@given(LINES, STOCKS)
def test_the_choice_is_that_of_counting_everything_again(
    wanted: list[tuple[str, int, str]], there: list[tuple[str, str, str, int, int, bool]]
) -> None:
    lines = [
        line(f"l{n}", units, product, default_supplier_id="bolt", supplier_ids=("nut",), inventory_record_id=record)
        for n, (product, units, record) in enumerate(wanted)
    ]
    stocks = [
        replace(stock(f"r{n}", product, units, supplier=supplier, location=place), priority=priority, can_exceed=more)
        for n, (product, supplier, place, units, priority, more) in enumerate(there)
    ]
    found = eligible(lines, candidates(lines, stocks))
    assert list(fewest_locations.fewest_locations(lines, found).items()) == list(plainly(lines, found).items())


def test_locations_that_share_nothing_are_counted_twice_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(f"l{n}", product=f"p{n}") for n in range(300)]
    stocks = [stock(f"r{n}", f"p{n}") for n in range(300)]
    found, counted, cover = candidates(lines, stocks), [], fewest_locations.covered

    def counting(*given):
        counted.append(1)
        return cover(*given)

    monkeypatch.setattr(fewest_locations, "covered", counting)
    assert len(fewest_locations.fewest_locations(lines, found)) == 300
    assert len(counted) == 600
