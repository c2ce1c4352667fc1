"""What may be known of a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libs.errors import Violations
from services.payment.domain.means.cards import StatedCard, check, is_number, looks_like_number


def broken(**changes: Any) -> list[tuple[str, str]]:
    """Fields and reasons of a card with these changes."""
    card = replace(StatedCard("visa", "4242", "Anna", "2031-04", "tok_1", {}), **changes)
    found = Violations()
    check(found, "card", card)
    return [(v.field, v.reason) for v in found.items]


@pytest.mark.parametrize(
    "text", ["424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "x5555555555554444y", "3782.822463.10005"]
)
def test_twelve_digits_look_like_a_card_number(text: str) -> None:
    assert looks_like_number(text)
    assert broken(cardholder_name=text) == [("card.cardholder_name", "CARD_NUMBER_REFUSED")]
    assert broken(xp={"a": [{"b": text}]}) == [("card.xp", "CARD_NUMBER_REFUSED")]
    assert broken(xp={text: 1}) == [("card.xp", "CARD_NUMBER_REFUSED")]


@pytest.mark.parametrize("text", ["", "42424", "12345678901", "2031-04", "4242 x 4242 x 4242"])
def test_less_does_not(text: str) -> None:
    assert not looks_like_number(text)


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("4242424242424242", True),
        ("4242 4242 4242 4242", True),
        ("378282246310005", True),
        ("4242424242424241", False),
        ("tok_4242424242424242", False),
        ("tok_approve", False),
        ("9" * 30, False),
    ],
)
def test_a_token_is_refused_when_it_is_a_card_number(token: str, number: bool) -> None:
    assert is_number(token) == number
    assert broken(token=token) == ([("card.token", "CARD_NUMBER_REFUSED")] if number else [])


def test_only_the_last_digits_and_a_month_are_kept() -> None:
    assert broken() == []
    assert broken(partial_number="424242") == [("card.partial_number", "VALUE_OUT_OF_RANGE")]
    assert broken(partial_number="4242424242424242") == [("card.partial_number", "CARD_NUMBER_REFUSED")]
    for wrong in ("2031-13", "31-04", "2031-4", "04/2031"):
        assert broken(expiration=wrong) == [("card.expiration", "FIELD_INVALID")]
    assert broken(expiration="") == []
