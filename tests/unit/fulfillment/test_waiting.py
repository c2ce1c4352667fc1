"""Which of the units promised from a record wait for stock."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.stock.waiting import Held, Source, Wait, by_record, changed, waiting
from services.fulfillment.domain.supplier_orders.supplier_order import Allocation, OrderLine

MAY = datetime(2030, 5, 1, tzinfo=UTC)
JUNE = datetime(2030, 6, 1, tzinfo=UTC)
UNITS = st.lists(st.integers(1, 50), max_size=12)


@pytest.mark.parametrize(
    ("on_hand", "units", "expected"),
    [(5, [2, 3, 4], [0, 0, 4]), (3, [2, 3, 4], [0, 2, 4]), (0, [2], [2]), (-7, [2, 1], [2, 1]), (9, [2, 3, 4], [0, 0, 0])],
)
def test_units_on_hand_go_to_the_oldest_orders(on_hand: int, units: list[int], expected: list[int]) -> None:
    assert waiting(on_hand, units) == expected


@given(st.integers(-20, 200), UNITS)
def test_what_waits_adds_up_to_what_is_missing(on_hand: int, units: list[int]) -> None:
    found = waiting(on_hand, units)
    assert sum(found) == max(0, sum(units) - max(0, on_hand))
    assert all(0 <= wait <= wanted for wait, wanted in zip(found, units, strict=True))


@given(st.integers(0, 200), UNITS, st.integers(1, 50))
def test_a_later_order_changes_nothing_of_the_earlier_ones(on_hand: int, units: list[int], later: int) -> None:
    assert waiting(on_hand, [*units, later])[:-1] == waiting(on_hand, units)


@given(st.integers(0, 100), UNITS, st.integers(1, 60))
def test_a_receipt_makes_nobody_wait_longer(on_hand: int, units: list[int], more: int) -> None:
    pairs = zip(waiting(on_hand + more, units), waiting(on_hand, units), strict=True)
    assert all(after <= before for after, before in pairs)


def held(record: uuid.UUID, units: int, shown: int = 0, time: datetime | None = None) -> Held:
    return Held(uuid.uuid4(), uuid.uuid4(), record, units, shown, time)


def test_only_what_has_to_be_shown_otherwise_is_changed() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    rows = [held(one, 4), held(one, 4, 3, MAY), held(one, 2, 2, MAY), held(two, 3, 3, MAY), held(two, 1, 1, JUNE)]
    sources = {one: Source(5, MAY, 1), two: Source(0, JUNE, 1)}
    assert changed(rows, sources) == {rows[3]: Wait(3, JUNE)}
    assert changed(rows, {**sources, one: Source(9, MAY, 2)}) == {
        rows[1]: Wait(0, None),
        rows[2]: Wait(1, MAY),
        rows[3]: Wait(3, JUNE),
    }
    assert by_record(rows, sources) == {one: 5, two: 4}


def allocated(quantity: int, backordered: int, time: datetime | None = None, shipped: int = 0) -> Allocation:
    return Allocation(uuid.uuid4(), uuid.uuid4(), "r", "", "", quantity, 0, shipped, backordered, time)


def test_a_line_waits_until_the_last_of_its_units_is_expected_where_that_is_known_of_all() -> None:
    places = (allocated(3, 1, JUNE), allocated(3, 2, MAY), allocated(3, 0))
    some = OrderLine("l1", 0, "drill", "Drill", 9, 1, 9, 0, 0, shippable=True, allocations=places)
    assert (some.waiting, some.expected_time) == (3, JUNE)
    vague = replace(some, allocations=(*some.allocations, allocated(1, 1)))
    assert (vague.waiting, vague.expected_time) == (4, None)
    gone = replace(some, allocations=(allocated(3, 3, MAY, shipped=2), allocated(3, 3, JUNE, shipped=3)))
    assert (gone.waiting, gone.expected_time) == (1, MAY)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(-5, 9)),
        st.tuples(st.just("confirm"), st.integers(1, 6)),
        st.tuples(st.just("ship"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("expect"), st.sampled_from([None, MAY, JUNE])),
        st.tuples(st.just("look"), st.none()),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_comes_goes_and_is_given_up_a_look_shows_what_is_missing_and_a_second_one_nothing_new(steps: list[Any]) -> None:
    record = uuid.uuid4()
    source = Source(0, None, 0)
    rows: list[Held] = []
    for step, value in [*steps, ("look", None)]:
        match step:
            case "receive":
                source = replace(source, on_hand=source.on_hand + value)
            case "confirm":
                rows.append(held(record, value))
            case "ship" if value < len(rows) and source.on_hand > 0:
                source = replace(source, on_hand=source.on_hand - 1)
                rows[value] = replace(rows[value], units=rows[value].units - 1)
            case "cancel" if value < len(rows):
                rows[value] = replace(rows[value], units=0)
            case "expect":
                source = replace(source, expected_time=value)
            case "look":
                news = changed(rows, {record: source})
                shown = {h.allocation_key: wait for h, wait in news.items()}
                rows = [
                    replace(h, shown=wait.units, shown_time=wait.expected_time) if (wait := shown.get(h.allocation_key)) else h
                    for h in rows
                ]
                assert sum(h.shown for h in rows) == max(0, sum(h.units for h in rows) - max(0, source.on_hand))
                assert all(h.shown <= h.units and h.shown_time == (source.expected_time if h.shown else None) for h in rows)
                assert changed(rows, {record: source}) == {}
        # What has left or was given up is not shown, nor kept.
        rows = [replace(h, shown=min(h.shown, h.units)) for h in rows if h.units]
