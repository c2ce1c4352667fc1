"""What a line chooses of its product."""

from __future__ import annotations

from decimal import Decimal

import pytest

from libs.errors import Violations
from services.order.domain.building.choices import Choice, Chosen, MarkUp, Option, Range, Said, Spec, Variant, chosen

DEARER = MarkUp("AMOUNT_PER_QUANTITY", {"USD": 5_000_000})
SIZE = Spec("size", "Size", True, defines_variant=True, options={"s": Option("Small"), "l": Option("Large", DEARER)})
COLOR = Spec("color", "Color", True, defines_variant=True, options={"red": Option("Red"), "blue": Option("Blue")})
BOX = Spec("box", "Box", default_option_id="plain", options={"plain": Option("Plain"), "gift": Option("Gift")})
NAME = Spec("name", "Name on it", open_text=True)
SMALL_RED = Variant("s-red", "Small, red", True, {"size": "s", "color": "red"}, Decimal("1.5"))
LARGE_RED = Variant("l-red", "Large, red", True, {"size": "l", "color": "red"})
LARGE_BLUE = Variant("l-blue", "Large, blue", False, {"size": "l", "color": "blue"})
SHIRT = Range((SIZE, COLOR, BOX, NAME), {v.id: v for v in (SMALL_RED, LARGE_RED, LARGE_BLUE)})
MUG = Range((NAME,))


def judged(said: list[Said], variant_id: str = "", offered: Range = SHIRT) -> tuple[Chosen, list[tuple[str, str]]]:
    found = Violations()
    made = chosen(found, "line_items[0]", offered, said, variant_id)
    return made, [(v.field.removeprefix("line_items[0]."), v.reason) for v in found.items]


def test_options_make_the_variant_and_a_spec_of_which_nothing_is_said_takes_its_default() -> None:
    made, wrong = judged([Said("color", "red"), Said("size", "l"), Said("name", value="Ada")])
    assert (wrong, made.variant) == ([], LARGE_RED)
    assert made.choices == (
        Choice("size", "Size", "l", "Large", mark_up=DEARER, defines_variant=True),
        Choice("color", "Color", "red", "Red", defines_variant=True),
        Choice("box", "Box", "plain", "Plain"),
        Choice("name", "Name on it", value="Ada"),
    )


def test_a_variant_brings_its_options_and_they_may_be_said_too() -> None:
    for said in ([], [Said("size", "s")], [Said("color", "red"), Said("size", "s")]):
        made, wrong = judged(said, "s-red")
        assert (wrong, made.variant) == ([], SMALL_RED)
        assert [c.option_id for c in made.choices] == ["s", "red", "plain"]


def test_a_product_without_specs_takes_nothing_said_and_needs_nothing() -> None:
    assert judged([], offered=Range()) == (Chosen(), [])
    assert judged([Said("size", "s")], "s-red", Range())[1] == [
        ("variant_id", "VARIANT_NOT_FOUND"),
        ("specs[0].spec_id", "SPEC_NOT_FOUND"),
    ]


@pytest.mark.parametrize(
    ("said", "variant_id", "wrong"),
    [
        ([], "", [("specs", "SPEC_REQUIRED"), ("specs", "SPEC_REQUIRED")]),
        ([Said("size", "s")], "", [("specs", "SPEC_REQUIRED")]),
        ([Said("size"), Said("color", "red")], "", [("specs[0]", "SPEC_REQUIRED")]),
        ([Said("size", "red"), Said("color", "red")], "", [("specs[0].option_id", "SPEC_OPTION_NOT_FOUND")]),
        ([Said("size", "s"), Said("color", "blue")], "", [("variant_id", "VARIANT_NOT_FOUND")]),
        ([Said("size", "l"), Said("color", "blue")], "", [("variant_id", "VARIANT_INACTIVE")]),
        ([], "l-blue", [("variant_id", "VARIANT_INACTIVE")]),
        ([], "xl-red", [("variant_id", "VARIANT_NOT_FOUND")]),
        ([Said("size", "l")], "s-red", [("specs[0]", "VARIANT_MISMATCH")]),
        ([Said("box", value="mine")], "s-red", [("specs[0].value", "SPEC_VALUE_NOT_ALLOWED")]),
        ([Said("box", "gift", "mine")], "s-red", [("specs[0].value", "SPEC_VALUE_NOT_ALLOWED")]),
        ([Said("wheels", "4")], "s-red", [("specs[0].spec_id", "SPEC_NOT_FOUND")]),
        ([Said("box", "gift"), Said("box", "plain")], "s-red", [("specs[1].spec_id", "DUPLICATE_ITEM")]),
    ],
)
def test_every_rule_that_is_broken_is_named_where_it_is(said: list[Said], variant_id: str, wrong: list[tuple[str, str]]) -> None:
    assert judged(said, variant_id)[1] == wrong


def test_everything_that_is_wrong_is_named_at_once() -> None:
    said = [Said("wheels", "4"), Said("size", "red"), Said("box", value="mine"), Said("name", "x")]
    assert judged(said)[1] == [
        ("specs[0].spec_id", "SPEC_NOT_FOUND"),
        ("specs[1].option_id", "SPEC_OPTION_NOT_FOUND"),
        ("specs", "SPEC_REQUIRED"),
        ("specs[2].value", "SPEC_VALUE_NOT_ALLOWED"),
        ("specs[3].option_id", "SPEC_OPTION_NOT_FOUND"),
    ]


def test_a_required_text_has_to_be_given() -> None:
    needed = Range((Spec("name", "Name on it", required=True, open_text=True),))
    assert judged([], offered=needed)[1] == [("specs", "SPEC_REQUIRED")]
    assert judged([Said("name", value="Ada")], offered=needed) == (Chosen((Choice("name", "Name on it", value="Ada"),)), [])


def test_what_is_not_required_may_be_left_open() -> None:
    assert judged([], offered=MUG) == (Chosen(), [])
