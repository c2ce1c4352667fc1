"""The page for people who write expressions: every example on it is checked, run, and comes to what the page says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from libs.expr import Faults, Result
from libs.expr.calls import FUNCTIONS, METHODS
from libs.expr.environment import MAX_LENGTH
from libs.expr.faults import Reason
from libs.expr.lists import MAX_WALKS
from libs.expr.parser import MAX_DEPTH
from libs.expr.run import MAX_ELEMENTS, MAX_WORK
from libs.money import parse_micros
from tests.expressions.messages import LINES, ORDERS, Order, bound

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()
EXAMPLES = PAGE.split("## Worked examples")[1]
FOR_LINES = EXAMPLES.index("Rules for a line")
APPROVALS = EXAMPLES.index("Rules for approval")
ROWS = [
    (found.group(1).replace("\\|", "|"), found.group(2), FOR_LINES < found.start() < APPROVALS)
    for found in re.finditer(r"^\| [^|`]+ \| `(.+)` \| ([a-z]+|[0-9.]+) \|$", EXAMPLES, re.MULTILINE)
]
REFUSED = re.findall(r"^\| `(.+)` \| ([A-Z_]+) \|$", EXAMPLES, re.MULTILINE)
NOW = int(datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp())


def stated() -> Any:
    """The order on the page."""
    return json_format.Parse(EXAMPLES.split("```json\n")[1].split("```")[0], Order())


@pytest.mark.parametrize(("text", "comes_to", "for_a_line"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_an_example_comes_to_what_the_page_says(text: str, comes_to: str, for_a_line: bool) -> None:
    order = stated()
    money = comes_to[0].isdigit()
    environment = LINES if for_a_line else ORDERS
    value = environment.check(text, Result.AMOUNT if money else Result.CONDITION).run(
        bound(order, order.items[1] if for_a_line else None, NOW)
    )
    if comes_to == "error":
        assert value.failed
    elif money:
        assert (value.value, value.error) == (parse_micros(comes_to), "")
    else:
        assert (value.value, value.error) == (comes_to == "true", "")


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_the_page_shows_as_refused_is_refused_for_that_reason(text: str, reason: str) -> None:
    with pytest.raises(Faults) as refused:
        ORDERS.check(text, Result.CONDITION)
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
