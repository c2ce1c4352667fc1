"""The words that products are found by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from libs.errors import Violations
from waybill.catalog.v1 import reasons

LONGEST = 50
"""Characters of a word that are kept; what comes after them is not looked at."""
MAX_WORDS = 10
"""Words of a search."""
MAX_SEARCH = 1_000
SEARCHED = ("id", "name", "description")
"""Attributes of a product whose words find it."""
_PLAIN = re.compile(r"[a-z0-9]+")
LAST = "\U0010ffff"
"""Comes after everything that a word can go on with."""


def words_of(text: str) -> list[str]:
    """The words of a text, in Unicode form NFKC without case: runs of letters, digits and marks."""
    if text.isascii():
        return _PLAIN.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded).split()


def words_of_product(row: Mapping[str, object]) -> frozenset[str]:
    """The words that a product is found by."""
    return frozenset(word[:LONGEST] for name in SEARCHED for word in words_of(str(row[name])))


def searched(found: Violations, field: str, text: str) -> frozenset[str]:
    """The words that a search asks for, each of which begins a word of what is found; none for an empty text."""
    if len(text) > MAX_SEARCH:
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"is at most {MAX_SEARCH:,} characters")
        return frozenset()
    words = frozenset(words_of(text))
    found.require(field, bool(words) or not text.strip(), reasons.FIELD_INVALID, "has no word: no letter and no digit")
    found.require(field, len(words) <= MAX_WORDS, reasons.TOO_MANY_ITEMS, f"at most {MAX_WORDS} words")
    for word in sorted(words):
        found.require(field, len(word) <= LONGEST, reasons.VALUE_OUT_OF_RANGE, f"a word is at most {LONGEST} characters")
    return words
