"""What assignments of every kind must be."""

from __future__ import annotations

import pytest

from libs.errors import Violations
from services.catalog.domain.catalogs.assignment import (
    BATCH,
    CATEGORY_PRODUCT,
    KINDS,
    PRODUCT_BUYER,
    Known,
    check_form,
    check_named,
)


def formed(kind, *rows):
    found = Violations()
    check_form(found, kind, rows)
    return [(v.field, v.reason) for v in found.items]


def named(kind, row, known):
    found = Violations()
    check_named(found, kind, [row], known)
    return [(v.field, v.reason) for v in found.items]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_ids_are_required_and_well_formed_and_stand_once_apart_from_groups(kind):
    empty = dict.fromkeys(kind.fields, "")
    needed = [name for name in kind.fields if name != "user_group_id"]

    assert formed(kind, empty) == [(f"assignments[0].{name}", "FIELD_REQUIRED") for name in needed]
    twice = dict.fromkeys(kind.fields, "a")
    assert formed(kind, twice, twice) == [("assignments[1]", "DUPLICATE_ITEM")]
    assert formed(kind, dict.fromkeys(kind.fields, "no id")) == [(f"assignments[0].{name}", "ID_INVALID") for name in kind.fields]
    assert formed(kind, *([twice] * (BATCH + 1))) == [("assignments", "TOO_MANY_ITEMS")]


@pytest.mark.parametrize(("order", "wrong"), [(0, False), (1_000_000, False), (-1, True), (1_000_001, True)])
def test_a_place_in_a_category_has_a_range(order, wrong):
    found = formed(CATEGORY_PRODUCT, {"category_id": "a", "product_id": "b", "list_order": order})

    assert found == ([("assignments[0].list_order", "VALUE_OUT_OF_RANGE")] if wrong else [])


def test_what_they_name_is_there_and_a_product_of_a_category_stands_in_its_catalog():
    row = {"category_id": "g", "product_id": "p"}
    known = Known(categories={"g": "c"}, products=frozenset({"p"}))

    assert named(PRODUCT_BUYER, {"product_id": "p", "buyer_id": "b", "user_group_id": ""}, known) == []
    assert named(CATEGORY_PRODUCT, row, Known()) == [
        ("assignments[0].category_id", "CATEGORY_NOT_FOUND"),
        ("assignments[0].product_id", "PRODUCT_NOT_FOUND"),
    ]
    assert named(CATEGORY_PRODUCT, row, known) == [("assignments[0].product_id", "PRODUCT_NOT_IN_CATALOG")]
    standing = Known(categories={"g": "c"}, products=frozenset({"p"}), standing=frozenset({("c", "p")}))
    assert named(CATEGORY_PRODUCT, row, standing) == []
