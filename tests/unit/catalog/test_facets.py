"""What facets are, what a request may ask of them, and which values a product has."""

from __future__ import annotations

import pytest

from libs.errors import Violations, WaybillError
from services.catalog.domain.products.facets import (
    OF_ONE,
    SHOWN,
    Facet,
    FacetCount,
    FacetsAsked,
    check_declared,
    check_form,
    check_known,
    check_path,
    counted_of,
    values_of,
)

COLOR = Facet("color", "Color", "color", 1, True)
SIZE = Facet("size", "Size", "specs.size", 1, False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("red", {"red"}),
        (2.0, {"2"}),
        (-0.0, {"0"}),
        (2.5, {"2.5"}),
        (1e300, {"1e+300"}),
        (10**300, {"1e+300"}),
        (True, {"true"}),
        (False, {"false"}),
        (["a", "b", "a", 1, 1.0, True], {"a", "b", "1", "true"}),
        ([["nested"], {"k": "v"}, None, "x"], {"x"}),
        ({"k": "v"}, set()),
        (None, set()),
        ("", set()),
        ("x" * 200, {"x" * 200}),
        ("x" * 201, set()),
    ],
)
def test_scalars_are_values_as_texts(value: object, expected: set[str]) -> None:
    assert values_of({"a": {"b": value}}, "a.b") == expected


def test_a_path_that_leads_nowhere_has_no_value() -> None:
    assert values_of({"a": "x"}, "a.b") == values_of({}, "a") == values_of({"a": ["x"]}, "a.0") == frozenset()


def test_of_an_array_the_first_different_values_are_kept() -> None:
    assert values_of({"a": [0, *range(OF_ONE + 5)]}, "a") == {str(number) for number in range(OF_ONE)}


@pytest.mark.parametrize("path", ["color", "a.b.c.d.e", "a-b.c_d.+1"])
def test_a_path_has_one_to_five_names(path: str) -> None:
    found = Violations()
    check_path(found, "f", path)
    assert not found


@pytest.mark.parametrize("path", ["a.b.c.d.e.f", ".a", "a.", "a..b", 'a"b', "a b", "ä", "a\n"])
def test_anything_else_is_no_path(path: str) -> None:
    found = Violations()
    check_path(found, "f", path)
    assert [(v.field, v.reason) for v in found.items] == [("f", "FIELD_INVALID")]


def test_paths_differ_and_facets_are_few() -> None:
    found = Violations()
    check_declared(found, [("f", "new", "p7")], {str(i): f"p{i}" for i in range(50)})
    assert [(v.field, v.reason) for v in found.items] == [("f.xp_path", "FACET_PATH_TAKEN"), ("f", "TOO_MANY_ITEMS")]
    found = Violations()
    check_declared(found, [("f", "7", "p7")], {str(i): f"p{i}" for i in range(50)})
    assert not found


def test_everything_that_is_wrong_is_named() -> None:
    found = Violations()
    filters = [("color", ["x" * 201, "", "a\0"]), ("color", []), ("?", ["x"] * 51), ("none", ["x"])]
    asked = FacetsAsked(named=["!", "gone"], filters=filters)
    check_form(found, asked)
    check_known(found, asked, [COLOR])
    assert sorted((v.field, v.reason) for v in found.items) == [
        ("facet_filters[0].values[0]", "VALUE_OUT_OF_RANGE"),
        ("facet_filters[0].values[1]", "VALUE_OUT_OF_RANGE"),
        ("facet_filters[0].values[2]", "FIELD_INVALID"),
        ("facet_filters[1].facet_id", "DUPLICATE_ITEM"),
        ("facet_filters[1].values", "FIELD_REQUIRED"),
        ("facet_filters[2].facet_id", "ID_INVALID"),
        ("facet_filters[2].values", "TOO_MANY_ITEMS"),
        ("facet_filters[3].facet_id", "FACET_NOT_FOUND"),
        ("facet_ids[0]", "ID_INVALID"),
        ("facet_ids[1]", "FACET_NOT_FOUND"),
    ]
    found = Violations()
    check_form(found, FacetsAsked(named=["a"] * 51, filters=[(f"f{i}", ["x"]) for i in range(11)]))
    assert [(v.field, v.reason) for v in found.items] == [("facet_ids", "TOO_MANY_ITEMS"), ("facet_filters", "TOO_MANY_ITEMS")]


def test_what_is_counted_is_all_or_what_is_named() -> None:
    facets = [COLOR, SIZE]
    assert counted_of(FacetsAsked(), facets) == []
    assert counted_of(FacetsAsked(counted=True), facets) == facets
    assert counted_of(FacetsAsked(counted=True, named=["size"]), facets) == [SIZE]
    with pytest.raises(WaybillError) as error:
        counted_of(FacetsAsked(filters=[("size", ["1"])]), facets)
    assert (error.value.reason, error.value.metadata["facet"]) == ("FACET_NOT_READY", "size")


def test_rare_values_and_those_beyond_the_most_frequent_are_left_out() -> None:
    counted = [(f"v{i:03}", 2) for i in range(SHOWN + 1)]
    assert FacetCount.of(COLOR, counted) == FacetCount(COLOR, counted[:SHOWN], True)
    assert FacetCount.of(COLOR, counted[:SHOWN]) == FacetCount(COLOR, counted[:SHOWN], False)
    rare = Facet("rare", "Rare", "rare", 2, True)
    assert FacetCount.of(rare, [*counted[:SHOWN], ("last", 1)]) == FacetCount(rare, counted[:SHOWN], False)
