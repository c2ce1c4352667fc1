"""What a promotion has to say, whatever its expressions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.errors import Violations
from services.pricing.domain.promotions.terms import ITEM_ORDERS, Terms, check, check_codes, code_key, valid_code

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "code": "MARCH",
    "auto_apply": False,
    "start_time": None,
    "end_time": None,
    "target": "LINE",
    "quantity_limit_per_order": None,
    "item_limit_per_order": None,
    "item_order": "",
}


def wrong(**values: Any) -> set[tuple[str, str]]:
    found = Violations()
    check(found, "p", Terms(**{**PLAIN, **values}))
    return {(v.field, v.reason) for v in found.items}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"code": "", "auto_apply": True},
        {"start_time": NOW, "end_time": NOW + timedelta(microseconds=1)},
        {"end_time": NOW},
        {"quantity_limit_per_order": 1, "item_order": "unit_price desc"},
        {"item_limit_per_order": 1},
        {"target": "ORDER"},
    ],
    ids=str,
)
def test_what_goes_together_is_accepted(values: dict[str, Any]) -> None:
    assert wrong(**values) == set()


def test_everything_that_does_not_go_together_is_named_at_once() -> None:
    both = {"quantity_limit_per_order": 1, "item_limit_per_order": 1}
    assert wrong(code="", start_time=NOW, end_time=NOW, target="SHIPPING", item_order="price", **both) == {
        ("p.end_time", "PROMOTION_TIMES_REVERSED"),
        ("p.code", "FIELD_REQUIRED"),
        ("p.quantity_limit_per_order", "FIELD_INVALID"),
        ("p.item_limit_per_order", "FIELD_INVALID"),
        ("p.item_order", "FIELD_INVALID"),
    }
    assert wrong(**both) == {("p.item_limit_per_order", "FIELD_INVALID")}


def test_an_order_of_lines_needs_a_limit() -> None:
    assert [order for order in sorted(ITEM_ORDERS) if not wrong(item_order=order)] == []
    assert [order for order in sorted(ITEM_ORDERS) if wrong(item_order=order, item_limit_per_order=2)] == []


def test_codes_are_compared_in_capitals_and_have_no_blanks() -> None:
    assert code_key("March-10_off") == "MARCH-10_OFF"
    assert not any(map(valid_code, ("", "A B", "A" * 51, code_key("straße"), code_key("ı"), "A\n", "A.")))
    assert valid_code("A" * 50)


def test_of_one_owner_an_active_code_is_taken_once() -> None:
    standing = {("", "MARCH"): "a", ("bolt", "MARCH"): "b"}
    items = [("0", "a", ("", "MARCH")), ("1", "c", ("bolt", "MARCH")), ("2", "d", ("", "MAY")), ("3", "e", ("", "MAY"))]
    found = Violations()
    check_codes(found, items, standing)
    assert [(v.field, v.reason) for v in found.items] == [("1.code", "PROMOTION_CODE_TAKEN"), ("3.code", "PROMOTION_CODE_TAKEN")]
