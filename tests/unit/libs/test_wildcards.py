"""Stars in filters: what fits them, compared with Python's own matching of every text that hypothesis finds."""

from __future__ import annotations

import re
import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from libs.query.parser import Compare, parse
from libs.query.wildcards import after, fits, pieces

_LETTERS = st.text(alphabet="aAb*?[]^-%_\\!äẞ\U0001f600\U0010ffff\ud7ff\ue000", max_size=6)
PIECES = st.lists(_LETTERS, min_size=2, max_size=5).map(tuple)


def fitting(pattern: tuple[str, ...], text: str) -> bool:
    """The model: literal pieces in their order, anything between them."""
    return re.fullmatch(".*".join(map(re.escape, pattern)), text, re.DOTALL) is not None


@st.composite
def compared(draw: st.DrawFn) -> tuple[tuple[str, ...], str]:
    """A pattern, and a text that often fits it."""
    pattern = draw(PIECES)
    if draw(st.booleans()):
        return pattern, draw(_LETTERS)
    text = pattern[0] + "".join(draw(_LETTERS) + piece for piece in pattern[1:])
    return pattern, text.swapcase() if draw(st.integers(0, 4)) == 0 else text


@given(compared(), st.booleans())
@example((("PO", ""), "po"), True)
@example((("a\U0010ffff", ""), "a\U0010ffffb"), True)
@example((("\U0010ffff", ""), "\U0010ffff"), True)
@example((("\ud7ff", ""), "\ue000"), True)
def test_a_text_fits_a_pattern_on_sqlite_as_it_does_in_python(case, plain):
    pattern, text = case
    condition = fits("sqlite", sa.literal(text, sa.String()), pattern, plain=plain)
    statement = sa.select(condition).compile(dialect=sqlite.dialect(paramstyle="named"))

    with sqlite3.connect(":memory:") as connection:
        found = connection.execute(str(statement), statement.params).fetchone()[0]
    connection.close()

    assert bool(found) == fitting(pattern, text)


@given(_LETTERS.filter(bool), _LETTERS, _LETTERS)
def test_what_begins_with_a_prefix_is_a_range(prefix, rest, other):
    end = after(prefix)
    inside = [text.encode() for text in (prefix + rest, prefix)]

    assert all(prefix.encode() <= text and (end is None or text < end.encode()) for text in inside)
    if not other.startswith(prefix):
        assert other < prefix or (end is not None and other >= end)


@given(st.lists(_LETTERS, min_size=1, max_size=5).map(tuple))
def test_any_pieces_can_be_written(wanted):
    written = "*".join(re.sub(r'[\\*"]', r"\\\g<0>", piece) for piece in wanted)

    assert pieces(written) == wanted or "" in wanted[1:-1]
    node = parse(f'name = "{written}"')
    assert isinstance(node, Compare)
    assert bool(node.pattern) == (len(wanted) > 1)


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("PO*", ("PO", "")),
        ("*12", ("", "12")),
        ("P*2", ("P", "2")),
        ("a**b", ("a", "b")),
        ("*", ("", "")),
        (r"\**", ("*", "")),
        (r"\\*", ("\\", "")),
        (r"a\*b", ()),
        ("plain", ()),
        # What is compared at one place, the beginning, may be long.
        ("x" * 1_900 + "*" + "y" * 90, ("x" * 1_900, "y" * 90)),
    ],
)
def test_a_star_stands_for_any_text_unless_it_is_escaped(written, pattern):
    node = parse(f'name = "{written}"')

    assert isinstance(node, Compare)
    assert node.pattern == pattern


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", ":"])
def test_a_star_is_a_letter_where_texts_are_not_compared_for_equality(op):
    node = parse(f'name {op} "a*"')

    assert isinstance(node, Compare)
    assert (node.value, node.pattern) == ("a*", ())
