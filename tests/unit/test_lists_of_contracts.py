"""Every list pages, skips and counts in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROTOS = Path(__file__).parents[2] / "protos" / "waybill"
MESSAGE = re.compile(r"^message ((?:List|Search)\w*(?:Request|Response)) \{(?:\}|\n(.*?)^\})", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"((?:  //[^\n]*\n)+)  ([\w. ]+) (\w+) = \d+ \[\(google\.api\.field_behavior\) = (\w+)\];\n")
MESSAGES = {
    f"{path.parent.parent.name}.{name}": {
        field: (kind, behavior, comment) for comment, kind, field, behavior in FIELD.findall(body)
    }
    for path in sorted(PROTOS.rglob("*.proto"))
    for name, body in MESSAGE.findall(path.read_text())
}
WHOLE = {
    "directory.ListKeys",
    "directory.ListRevocations",
    "directory.ListSecrets",
    "directory.ListUserGroupIds",
    "order.ListApprovals",
    "order.ListPayments",
    "order.ListEndedOrders",
    "payment.ListPayments",
}
"""What is named in the request, belongs to one order, or is a handful, and is answered whole; and what services go on reading
from a position."""
MODEL = "catalog.ListProducts"
ASKED = ("page_size", "page_token", "skip", "include_total")
ANSWERED = ("next_page_token", "total_size")
LISTS = sorted({re.sub(r"(Request|Response)$", "", name) for name in MESSAGES} - WHOLE)


def test_the_lists_are_found():
    assert len(LISTS) > 25
    assert {name.removesuffix("Request") for name in MESSAGES} > WHOLE


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_asked_and_answers_as_all_others(name):
    model = {field: MESSAGES[f"{MODEL}Request"][field] for field in ASKED}
    answer = {field: MESSAGES[f"{MODEL}Response"][field] for field in ANSWERED}

    assert {field: MESSAGES[f"{name}Request"].get(field) for field in ASKED} == model
    assert {field: MESSAGES[f"{name}Response"].get(field) for field in ANSWERED} == answer


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_list_that_is_answered_whole_has_no_pages(name):
    assert not set(ASKED) & MESSAGES[f"{name}Request"].keys()
    assert not set(ANSWERED) & MESSAGES[f"{name}Response"].keys()
