"""Texts that are sealed open with their key, for what they are about, and not otherwise."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.sealing import KEY_BYTES, NotOpened, SealingKeys, new_key, sealed_by

ONE, OTHER = new_key(), new_key()


@given(st.text())
def test_what_is_sealed_opens_and_shows_nothing(text):
    keys = SealingKeys.read(ONE)
    sealed = keys.seal(text, "key k1")
    assert keys.open(sealed, "key k1") == text
    assert sealed_by(sealed) == keys.first
    assert len(text) < 8 or text not in sealed


def test_the_same_text_is_sealed_differently_each_time():
    keys = SealingKeys.read(ONE)
    assert keys.seal("secret", "key k1") != keys.seal("secret", "key k1")


def test_a_sealed_text_does_not_open_for_another_thing_nor_when_a_letter_of_it_is_another():
    keys = SealingKeys.read(ONE)
    sealed = keys.seal("secret", "key k1")
    raw = bytearray(base64.b64decode(sealed.rpartition(":")[2]))
    raw[-1] ^= 1
    changed = f"{sealed.rpartition(':')[0]}:{base64.b64encode(raw).decode()}"
    for about, text in (("key k2", sealed), ("key k1", changed), ("key k1", sealed[:-9]), ("key k1", f"{sealed}é")):
        with pytest.raises(NotOpened, match=f"^{about} has changed since it was sealed$"):
            keys.open(text, about)


def test_another_key_opens_nothing_and_both_are_named():
    sealed, other = SealingKeys.read(ONE).seal("secret", "key k1"), SealingKeys.read(OTHER)
    with pytest.raises(NotOpened, match=f"sealed by the key {sealed_by(sealed)}, not by {other.first}$"):
        other.open(sealed, "key k1")
    with pytest.raises(NotOpened, match="sealed by the key \\(none\\)"):
        other.open("-----BEGIN PRIVATE KEY-----", "key k1")


def test_of_several_keys_the_first_seals_and_all_open():
    old, both = SealingKeys.read(ONE), SealingKeys.read(f"{OTHER}\n\n  {ONE}\n{ONE}\n")
    assert both.fingerprints == (SealingKeys.read(OTHER).first, old.first)
    assert both.open(old.seal("secret", "key k1"), "key k1") == "secret"
    assert sealed_by(both.seal("secret", "key k1")) == both.first != old.first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no key in it"),
        (" \n", "there is no key in it"),
        (f"{ONE}\nnot-base64!", "line 2 is not base64"),
        ("schlüssel", "line 1 is not base64"),
        (base64.b64encode(b"x" * 31).decode(), "line 1 is 31 bytes long, a key has 32"),
        (base64.b64encode(bytes(KEY_BYTES)).decode(), "line 1 can be guessed"),
    ],
    ids=["nothing", "an empty line", "a second line that is none", "no base64", "too short", "nothing but zeros"],
)
def test_what_is_no_key_is_refused_by_its_line_and_not_shown(text, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        SealingKeys.read(text)


def test_keys_show_no_more_than_fingerprints():
    keys = SealingKeys.read(ONE)
    assert ONE not in repr(keys)
    assert len(keys.first) == 16
