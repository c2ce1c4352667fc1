"""What may be known of a card: never its number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from libs.errors import Violations
from libs.json_value import JsonObject, JsonValue
from waybill.payment.v1 import reasons

_NUMBER = re.compile(r"\d(?:[ ./_-]?\d){11,}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])\Z")
_REFUSED = "looks like a card number, which is never stored"


@dataclass(frozen=True, slots=True)
class StatedCard:
    """What a caller states of a card, before anything is certain of it."""

    card_type: str
    partial_number: str
    cardholder_name: str
    expiration: str
    token: str
    xp: JsonObject


def check(found: Violations, where: str, card: StatedCard) -> None:
    """Refuses anything that looks like a card number; checks the last digits and the month."""
    stated = {
        "card_type": card.card_type,
        "partial_number": card.partial_number,
        "cardholder_name": card.cardholder_name,
        "expiration": card.expiration,
    }
    for name, text in stated.items():
        if looks_like_number(text):
            found.add(f"{where}.{name}", reasons.CARD_NUMBER_REFUSED, _REFUSED)
    if any(looks_like_number(text) for text in _texts(card.xp)):
        found.add(f"{where}.xp", reasons.CARD_NUMBER_REFUSED, _REFUSED)
    if is_number(card.token):
        found.add(f"{where}.token", reasons.CARD_NUMBER_REFUSED, _REFUSED)
    if not looks_like_number(card.partial_number) and len(card.partial_number) > 5:
        found.add(f"{where}.partial_number", reasons.VALUE_OUT_OF_RANGE, "at most the last five digits")
    if card.expiration and not _MONTH.match(card.expiration):
        found.add(f"{where}.expiration", reasons.FIELD_INVALID, "must be YYYY-MM")


def looks_like_number(text: str) -> bool:
    """Whether twelve or more digits stand together, however they are separated."""
    return bool(_NUMBER.search(text))


def is_number(token: str) -> bool:
    """Whether a token is nothing but a card number: its check digit is right. Gateways' own tokens may be digits."""
    digits = [int(c) for c in re.sub(r"[ ./_-]", "", token) if c.isdecimal()]
    if not 12 <= len(digits) <= 19 or not _NUMBER.fullmatch(token.strip()):
        return False
    doubled = [d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield f"{value:.0f}" if isinstance(value, float) else str(value)
