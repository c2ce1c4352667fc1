"""The page for people who write expressions: every example on it is checked, run, and comes to what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import json_format

from libs.expr import Faults, Result, Value
from libs.expr.calls import FUNCTIONS, METHODS
from libs.expr.environment import MAX_LENGTH
from libs.expr.faults import Reason
from libs.expr.lists import MAX_WALKS
from libs.expr.parser import MAX_DEPTH
from libs.expr.run import MAX_ELEMENTS, MAX_WORK
from libs.money import parse_micros
from services.order.contract.approval_expressions import bindings_of
from services.order.contract.approval_expressions import expression_of as approval
from services.pricing.contract.promotion_expressions import expression_of as promotion
from waybill.order.v1.approval_expression_pb2 import ApprovalOrder
from waybill.pricing.v1.promotion_expression_pb2 import PromotionOrder

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()
EXAMPLES = PAGE.split("## Worked examples")[1]
FOR_LINES = EXAMPLES.index("Conditions and amounts of promotions for lines")
APPROVALS = EXAMPLES.index("Approval rules see")
PROMOTION, APPROVAL = re.findall(r"```json\n(.*?)```", EXAMPLES, re.DOTALL)
"""The order as the one and the other see it."""
ROWS = [
    (found.group(1).replace("\\|", "|"), found.group(2), found.start())
    for found in re.finditer(r"^\| [^|`]+ \| `(.+)` \| ([a-z]+|[0-9.]+) \|$", EXAMPLES, re.MULTILINE)
]
REFUSED = re.findall(r"^\| `(.+)` \| ([A-Z_]+) \|$", EXAMPLES, re.MULTILINE)


def came_to(text: str, result: Result, at: int) -> Value:
    """What an example comes to where it stands on the page."""
    if at > APPROVALS:
        return approval(text).run(bindings_of(json_format.Parse(APPROVAL, ApprovalOrder())))
    order = json_format.Parse(PROMOTION, PromotionOrder())
    if at > FOR_LINES:
        return promotion(text, "LINE", result).run({"order": order, "item": order.items[1]})
    return promotion(text, "ORDER", result).run({"order": order})


@pytest.mark.parametrize(("text", "comes_to", "at"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_an_example_comes_to_what_the_page_says(text: str, comes_to: str, at: int) -> None:
    if comes_to[0].isdigit():
        assert came_to(text, Result.AMOUNT, at) == Value(parse_micros(comes_to))
    elif comes_to == "error":
        assert came_to(text, Result.CONDITION, at).failed
    else:
        assert came_to(text, Result.CONDITION, at) == Value(comes_to == "true")


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_the_page_shows_as_refused_is_refused_for_that_reason(text: str, reason: str) -> None:
    with pytest.raises(Faults) as refused:
        promotion(text, "ORDER", Result.CONDITION)
    assert [fault.reason for fault in refused.value.faults] == [Reason(reason)]


def test_the_page_has_thirty_examples_and_more() -> None:
    assert len(ROWS) >= 40
    assert len(REFUSED) >= 8


def test_the_page_names_every_function_reason_and_limit() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert {*FUNCTIONS, *METHODS, *Reason} - words == set()
    assert MAX_WALKS == 3
    for limit in (MAX_LENGTH, MAX_DEPTH, f"{MAX_ELEMENTS:,}", f"{MAX_WORK:,}"):
        assert str(limit) in PAGE
