"""Postal codes and their prefixes, as they are compared everywhere."""

from __future__ import annotations

from unicodedata import category, normalize

from libs import protoconv
from libs.errors import Violations
from libs.identify import folded
from waybill.type.v1 import reasons

MAX_PREFIX = 20
"""Characters of the longest postal prefix."""

_MARKS = str.maketrans("", "", " -")


def postal(code: str) -> str:
    """A postal code or prefix as it is compared: folded, in upper case, without spaces and hyphens of any kind."""
    if code.isascii():
        return code.translate(_MARKS).upper()
    # What stood around a blank may be one character without it.
    kept = "".join(c for c in folded(code) if category(c) not in ("Zs", "Pd"))
    return normalize("NFKC", folded(kept).upper())


def prefix_in(found: Violations, field: str, value: str) -> str:
    """A caller's postal prefix, as it is compared. Upper case may be longer: ß becomes SS."""
    protoconv.text_in(found, field, value, MAX_PREFIX)
    compared = postal(value)
    if len(value) <= MAX_PREFIX < len(compared):
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"is at most {MAX_PREFIX} characters in upper case")
    return compared
