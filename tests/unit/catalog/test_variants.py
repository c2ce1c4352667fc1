"""Combinations of options, and the ids of the variants that they make."""

from __future__ import annotations

from itertools import count

import pytest

from libs.errors import Violations
from services.catalog.domain.choices.specs import Holder, Option, Spec, check_given, check_kept, check_taken
from services.catalog.domain.choices.variants import (
    LONGEST_COMBINATION,
    combination,
    determined,
    is_whole,
    missing_variants,
    number,
    options_of,
)


def spec(id: str, *options: str, defines: bool = True, owner: str = "") -> Spec:
    return Spec(id, owner, defines, tuple(Option(option, option.title()) for option in options))


def made(defining: list[Spec], standing: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    numbers, there = count(1), standing or {}
    new = missing_variants(defining, set(there.values()), there, lambda: f"new-{next(numbers)}")
    return [(each.id, each.name, each.combination) for each in new]


SIZE, COLOR = spec("size", "s", "m"), spec("color", "red", "blue")


def test_each_combination_is_made_once_in_the_order_of_specs_and_options() -> None:
    assert made([SIZE, COLOR]) == [
        ("s-red", "S / Red", "color=red/size=s"),
        ("s-blue", "S / Blue", "color=blue/size=s"),
        ("m-red", "M / Red", "color=red/size=m"),
        ("m-blue", "M / Blue", "color=blue/size=m"),
    ]
    assert number([SIZE, COLOR]) == 4


def test_what_stands_is_left_and_what_is_missing_is_made() -> None:
    standing = {"mine": "color=red/size=s", "m-red": "color=blue/size=m"}
    assert made([SIZE, COLOR], standing) == [
        ("s-blue", "S / Blue", "color=blue/size=s"),
        ("new-1", "M / Red", "color=red/size=m"),
    ]


def test_nothing_is_made_of_no_specs() -> None:
    assert (number([]), made([])) == (0, [])


def test_an_id_that_two_combinations_would_have_is_given_to_one() -> None:
    assert [id for id, *_ in made([spec("a", "x-y", "x"), spec("b", "z", "y-z")])] == ["x-y-z", "x-y-y-z", "x-z", "new-1"]


def test_an_id_that_would_be_too_long_is_generated_and_a_name_is_cut() -> None:
    ((id, name, text),) = made([spec("a", "x" * 60), spec("b", "y" * 60)])
    assert (id, len(name), name[-1]) == ("new-1", 100, "…")
    assert options_of(text) == {"a": "x" * 60, "b": "y" * 60}


def test_the_longest_combination_fits() -> None:
    longest = {f"{i}" + "s" * 99: "o" * 100 for i in range(5)}
    assert len(combination(longest)) == LONGEST_COMBINATION


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"size": "s", "color": "red"}, "color=red/size=s"),
        ({"size": "s", "color": "red", "text": "t"}, "color=red/size=s"),
        ({"size": "s"}, None),
        ({}, None),
    ],
)
def test_options_determine_a_variant_when_each_spec_that_defines_some_has_one(chosen: dict[str, str], found: str | None) -> None:
    assert determined({"size", "color"}, chosen) == found
    assert determined(set(), chosen) is None


@pytest.mark.parametrize(
    "text", ["", "size=s", "color=red/size=x", "size=s/color=red", "color=red/size=s/x=y", "color=red/size=s/"]
)
def test_a_stored_combination_that_no_generation_makes_is_found(text: str) -> None:
    defining = {"size": {"s"}, "color": {"red"}}
    assert is_whole("color=red/size=s", defining)
    assert not is_whole(text, defining)


def noted(found: Violations) -> list[tuple[str, str]]:
    return sorted((item.field, item.reason) for item in found.items)


def test_what_variants_are_made_of_stays() -> None:
    found = Violations()
    check_kept(found, "spec", SIZE, spec("size", "s", defines=False), {"m"}, True)
    assert noted(found) == [("spec.defines_variant", "VARIANTS_EXIST"), ("spec.options", "OPTION_IN_USE")]
    free = Violations()
    check_kept(free, "spec", SIZE, spec("size", "s", defines=False), (), False)
    assert noted(free) == []


def test_a_product_with_variants_neither_gets_nor_loses_a_spec_that_defines_them() -> None:
    products = {"shirt": Holder("", {"size": True, "text": False}, True)}
    rows = [{"product_id": "shirt", "spec_id": id} for id in ("color", "note", "size", "text")]
    given, taken = Violations(), Violations()
    check_given(given, rows, {s.id: s for s in (SIZE, COLOR, spec("note", defines=False), spec("text", defines=False))}, products)
    assert noted(given) == [("assignments[0].spec_id", "VARIANTS_EXIST")]
    check_taken(taken, rows, products)
    assert noted(taken) == [("assignments[2].spec_id", "VARIANTS_EXIST")]
