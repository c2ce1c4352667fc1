"""Patterns: a text that is compared with `=` or `!=` and has stars, each of which stands for any text, the empty one too.

A pattern is its literal pieces, at least two; a star stands between each two of them. What stands after a star is looked for
at every place of a text, so it is not long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

_PART = re.compile(r"\\(.)|(\*+)|([^\\*]+)", re.DOTALL)
_LIKE = re.compile(r"[\\%_]")
_GLOB = re.compile(r"[\[*?]")
MAX_PIECE = 100
"""Characters after a star: a database compares as many at every place of a text, and xp has texts of thousands."""
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def pieces(written: str) -> tuple[str, ...]:
    r"""The literal pieces of a text as it stands between its quotes: `\` takes the next character as it is. One piece is
    no pattern."""
    found = [""]
    for escaped, stars, plain in _PART.findall(written):
        if stars:
            found.append("")
        else:
            found[-1] += escaped or plain
    return tuple(found)


def fits(dialect: str, text: sa.ColumnElement[Any], pattern: Sequence[str], *, plain: bool = True) -> sa.ColumnElement[bool]:
    """Whether the text fits the pattern, letter for letter as `=` compares.

    With `plain`, for columns, the pattern's beginning is said as a range, which an index serves. PostgreSQL finds that range
    in LIKE itself, where the database's collation compares by bytes; on SQLite LIKE would ignore case, so GLOB compares.
    """
    if dialect == "postgresql":
        like = "%".join(_LIKE.sub(r"\\\g<0>", piece) for piece in pattern)
        return text.like(sa.literal(like, sa.String()))
    glob = "*".join(_GLOB.sub(r"[\g<0>]", piece) for piece in pattern)
    fitting: sa.ColumnElement[bool] = text.op("GLOB", is_comparison=True, return_type=sa.Boolean())(sa.literal(glob, sa.String()))
    if not plain or not pattern[0]:
        return fitting
    end = after(pattern[0])
    later = [] if end is None else [text < sa.literal(end, sa.String())]
    return sa.and_(text >= sa.literal(pattern[0], sa.String()), *later, fitting)


def after(prefix: str) -> str | None:
    """The least text that comes after all that begin with the prefix, compared by bytes; None when nothing does."""
    kept = prefix.rstrip(chr(_LAST))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)
