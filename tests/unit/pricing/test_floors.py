"""Floors below suppliers' prices."""

from __future__ import annotations

from libs.errors import Violations
from services.pricing.domain.schedules.floor import check_breaks, held, lowest
from services.pricing.domain.schedules.schedule import Break, Schedule

SCHEDULE = Schedule("s", "USD", (Break(1, 9, 6), Break(10, 7), Break(50, 4, 3)), owner="bolt")


def test_nothing_costs_less_than_the_floor_and_what_costs_more_stays() -> None:
    assert held(SCHEDULE, 7).breaks == (Break(1, 9, 7), Break(10, 7), Break(50, 7, 7))


def test_a_schedule_above_the_floor_and_one_without_a_floor_are_as_they_are() -> None:
    assert lowest(SCHEDULE.breaks) == 3
    assert held(SCHEDULE, 3) is held(SCHEDULE, None) is SCHEDULE


def test_every_price_below_a_floor_is_named_with_the_product_whose_floor_is_the_highest() -> None:
    found = Violations()
    check_breaks(found, "it", SCHEDULE.breaks, "USD", {"low": 1, "high": 7_000_000, "other": 2}, {1: 2, 10: 0, 50: 1})
    assert [v.field for v in found.items] == [
        f"it.price_breaks[{i}].{name}"
        for i, name in ((2, "price"), (2, "sale_price"), (0, "price"), (1, "price"), (1, "sale_price"))
    ]
    assert found.items[0].description == "0.000009 is below the floor of product 'high', which is 7 USD"


def test_a_price_at_the_floor_and_a_product_without_one_break_nothing() -> None:
    found = Violations()
    check_breaks(found, "it", SCHEDULE.breaks, "USD", {}, {})
    check_breaks(found, "it", SCHEDULE.breaks, "USD", {"lamp": 3}, {})
    assert not found
