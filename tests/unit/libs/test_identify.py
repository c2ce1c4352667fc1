from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from libs.identify import folded
from libs.postal import postal

QUEBEC, TYPED_ELSEWHERE = "Québec", "Que\u0301bec"


def test_one_word_typed_in_two_ways_is_one_word():
    assert folded(QUEBEC) == folded(TYPED_ELSEWHERE) == folded(" QUÉBEC ") != folded("Quebec")
    assert folded("Ａｎｎａ") == folded("anna") == folded("an\u200bna") == "anna"
    assert folded("Straße") == folded("STRASSE")


def test_blanks_within_a_name_matter():
    assert folded("new york") != folded("newyork")


def test_postal_codes_are_compared_without_width_case_and_hyphens_of_any_kind():
    assert postal("１００－０００１") == postal("100‐0001") == postal("100-0001") == "1000001"
    assert postal("sw1a\u00a01aa") == "SW1A1AA"


@given(st.text())
def test_what_is_folded_stays_as_it_is_in_every_normal_form(text):
    key = folded(text)
    assert folded(key) == key
    assert folded(normalize("NFD", text)) == folded(normalize("NFC", text)) == key
    assert postal(postal(text)) == postal(text)
