"""A line names no cost center that the order's user may not use, once the buyer has any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.errors import Violations
from services.order.domain.building.cost_centers import CostCenters, check_cost_centers
from services.order.domain.submission.readiness import objections
from tests.unit.order.builders import NOW, line, order
from tests.unit.order.test_readiness import FACTS, SHEET

NONE = CostCenters()
SOME = CostCenters(True, frozenset({"ops"}))


@pytest.mark.parametrize(
    ("named", "centers", "allowed"),
    [
        ("", NONE, True),
        ("Travel, 4th quarter", NONE, True),
        ("", SOME, True),
        ("ops", SOME, True),
        ("OPS", SOME, False),
        ("Travel, 4th quarter", SOME, False),
        ("ops", CostCenters(True), False),
    ],
)
def test_a_line_names_any_text_until_the_buyer_has_cost_centers(named: str, centers: CostCenters, allowed: bool) -> None:
    assert centers.allow(named) is allowed


def test_every_line_that_names_what_it_may_not_is_reported() -> None:
    found = Violations()
    check_cost_centers(found, ["old", "ops", "", "theirs"], SOME)
    assert [(v.field, v.reason) for v in found.items] == [
        ("line_items[0].cost_center", "COST_CENTER_NOT_ALLOWED"),
        ("line_items[3].cost_center", "COST_CENTER_NOT_ALLOWED"),
    ]


def test_what_is_not_there_is_refused_in_the_words_of_what_is_anothers() -> None:
    found = Violations()
    check_cost_centers(found, ["theirs", "nowhere"], SOME)
    first, second = (v.description for v in found.items)
    assert first.replace("theirs", "nowhere") == second


def test_a_submit_looks_again() -> None:
    booked, facts = [line(cost_center="ops"), line("l2", cost_center="old")], replace(FACTS, cost_centers=SOME)
    found = objections(order(), booked, SHEET, facts, NOW)
    assert [(p.reason, p.subject) for p in found if p.reason == "COST_CENTER_NOT_ALLOWED"] == [
        ("COST_CENTER_NOT_ALLOWED", "line_items[l2]")
    ]
    assert "COST_CENTER_NOT_ALLOWED" not in [p.reason for p in objections(order(), booked, SHEET, FACTS, NOW)]
