"""What may be known of a card: never its number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from libs.errors import Violations

_NUMBER = re.compile(r"\d(?:[ -]?\d){11,}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z")


def check(found: Violations, where: str, card: Mapping[str, Any]) -> None:
    """Refuses anything that looks like a card number; checks the last digits and the month."""
    for name in ("card_type", "partial_number", "cardholder_name"):
        if _NUMBER.search(card[name]):
            found.add(f"{where}.{name}", "CARD_NUMBER_REFUSED", "looks like a card number, which is never stored")
    if len(card["partial_number"]) > 5:
        found.add(f"{where}.partial_number", "VALUE_OUT_OF_RANGE", "at most the last five digits")
    if card["expiration"] and not _MONTH.match(card["expiration"]):
        found.add(f"{where}.expiration", "FIELD_INVALID", "must be YYYY-MM")
