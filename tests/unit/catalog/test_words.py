"""The words that products are found by."""

import pytest

from libs.errors import Violations
from services.catalog.domain.products.words import searched, words_of, words_of_product


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Anvil, 20 kg", ["anvil", "20", "kg"]),
        ("prd_AB-12", ["prd", "ab", "12"]),
        ("Straße ＡＢＣ ﬁne", ["strasse", "abc", "fine"]),
        ("Ünïcode's naïveté", ["ünïcode", "s", "naïveté"]),
        ("हिन्दी", ["हिन्दी"]),
        (" ,;! ", []),
    ],
)
def test_a_text_is_its_runs_of_letters_digits_and_marks(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_product_is_found_by_id_name_and_description_and_long_words_are_cut() -> None:
    row = {"id": "lamp-1", "name": "Work lamp", "description": "x" * 60, "tax_class": "standard"}
    assert words_of_product(row) == {"lamp", "1", "work", "x" * 50}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("?!", "FIELD_INVALID"),
        (" ".join(f"w{i}" for i in range(11)), "TOO_MANY_ITEMS"),
        ("a" * 51, "VALUE_OUT_OF_RANGE"),
        ("a " * 501, "VALUE_OUT_OF_RANGE"),
    ],
)
def test_a_search_is_bounded(text: str, reason: str) -> None:
    found = Violations()
    assert isinstance(searched(found, "search", text), frozenset)
    assert [(v.field, v.reason) for v in found.items] == [("search", reason)]


def test_an_empty_search_asks_for_nothing() -> None:
    found = Violations()
    assert searched(found, "search", "  ") == frozenset()
    assert not found
