"""Secrets that people chose."""

from __future__ import annotations

import secrets

import pytest

from libs.auth import SharedSecret
from libs.auth.strength import weakness


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "it has fewer than 32 characters"),
        ("Xy7-" * 7 + "Xy7", "it has fewer than 32 characters"),
        ("a" * 48, "it has fewer than 8 different characters"),
        ("abcdefg" * 10, "it has fewer than 8 different characters"),
        ("hunter2!xyz" * 4, "it repeats itself"),
        ("0123456789" * 4, "it repeats itself"),
        ("0123456789" * 3 + "01", "it repeats itself"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_with_its_weakness(secret: str, why: str) -> None:
    assert weakness(secret) == why
    with pytest.raises(ValueError, match=why) as refused:
        SharedSecret(secret)
    assert not secret or secret not in str(refused.value)


def test_what_a_generator_of_secrets_makes_is_accepted() -> None:
    assert [weakness(make(n)) for n in (32, 48) for make in (secrets.token_urlsafe, secrets.token_hex)] == [""] * 4
