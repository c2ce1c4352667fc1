"""Choosing ship methods."""

from dataclasses import replace

import pytest

from libs.errors import WaybillError
from services.order.domain.checkout.worksheet import Estimate, Method, Worksheet, select, select_by_preference
from tests.unit.order.builders import NOW

CHEAP = Method("ground", "Ground", "swift", 5, 3, 5)
FAST = Method("air", "Air", "swift", 50, 1, 1)
SHEET = Worksheet(estimates=tuple(Estimate(e, "", "", ((e, 1),), (CHEAP, FAST), "line") for e in ("e1", "e2")))


def chosen(sheet: Worksheet) -> list[str]:
    return [e.selected_method_id for e in sheet.estimates]


def test_a_selection_is_merged_into_those_before() -> None:
    assert chosen(select(select(SHEET, [("e1", "air")]), [("e2", "ground")])) == ["air", "ground"]


def test_every_wrong_selection_is_named() -> None:
    with pytest.raises(WaybillError) as refused:
        select(SHEET, [("e9", "air"), ("e1", "boat"), ("e2", "air"), ("e2", "ground")])
    assert [(f.field, f.reason) for f in refused.value.fields] == [
        ("selections[0].ship_estimate_id", "SHIP_ESTIMATE_NOT_FOUND"),
        ("selections[1].ship_method_id", "SHIP_METHOD_NOT_OFFERED"),
        ("selections[3].ship_estimate_id", "DUPLICATE_ITEM"),
    ]


def test_preferences_choose_the_wanted_the_cheapest_or_the_fastest() -> None:
    assert chosen(select_by_preference(SHEET, (), fastest=False)) == ["ground", "ground"]
    assert chosen(select_by_preference(SHEET, (), fastest=True)) == ["air", "air"]
    assert chosen(select_by_preference(SHEET, ("boat", "air"), fastest=False)) == ["air", "air"]


def test_new_estimates_keep_a_choice_that_is_still_offered() -> None:
    before = select(SHEET, [("e1", "air"), ("e2", "air")])
    without_air = replace(SHEET.estimates[1], methods=(CHEAP,))
    after = before.with_estimates((), (SHEET.estimates[0], without_air), NOW)
    assert chosen(after) == ["air", ""]
