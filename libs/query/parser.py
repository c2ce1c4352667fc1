"""The filter language: comparisons, AND, OR, NOT or -, parentheses.

A subset of AIP-160: no functions, no bare words. AND and OR do not mix without parentheses. Values are quoted texts,
numbers, times, true, false, or bare words such as enum names; `field:*` asks whether there is a value at all. In a quoted
text that is compared with = or !=, a star stands for any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from libs.query.wildcards import MAX_PIECE, pieces

MAX_LENGTH = 2_000
MAX_DEPTH = 20
_PATTERNED = ("=", "!=")
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)
    |(?P<op><=|>=|!=|=|<|>|:)|(?P<paren>[()])|(?P<star>\*)|(?P<minus>-(?=[A-Za-z(]))
    |(?P<word>[A-Za-z0-9_.+\-]+))""",
    re.VERBOSE | re.DOTALL,
)


class FilterError(ValueError):
    """The filter is not understood; the text says why and where."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `quoted` says that the text stood in quotes; `any` is `field:*`; `at` counts characters from 1.

    `pattern` has the literal pieces of a quoted text with stars; it is empty where nothing stands for any text.
    """

    path: tuple[str, ...]
    op: str
    value: str
    quoted: bool
    any: bool = False
    at: int = 1
    pattern: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The field as it was written."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Not:
    """A negation; it matches missing values too."""

    item: Node


@dataclass(frozen=True, slots=True)
class Group:
    """AND or OR of several."""

    op: str
    items: tuple[Node, ...]


Node = Compare | Not | Group


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    """Character, counted from 1."""

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            while text[at].isspace():
                at += 1
            raise FilterError(f"character {at + 1} begins nothing that a filter is made of; other texts go in quotes")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match.group(kind), match.start(kind) + 1))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self, what: str) -> _Token:
        token = self.peek()
        if token is None:
            raise FilterError(f"it ends where {what} is expected")
        self._at += 1
        return token

    def expression(self, depth: int) -> Node:
        items = [self.term(depth)]
        joined = ""
        while (token := self.peek()) is not None and token.is_word("AND", "OR"):
            op = self.take("AND or OR").text.upper()
            if joined and op != joined:
                raise FilterError(f"AND and OR mix at character {token.at}: use parentheses")
            joined = op
            items.append(self.term(depth))
        return items[0] if not joined else Group(joined, tuple(items))

    def term(self, depth: int) -> Node:
        token = self.take("a comparison")
        if depth > MAX_DEPTH:
            raise FilterError(f"it is nested deeper than {MAX_DEPTH} at character {token.at}")
        if token.kind == "minus" or token.is_word("NOT"):
            return Not(self.term(depth + 1))
        if token.text == "(":
            inner = self.expression(depth + 1)
            closing = self.peek()
            if closing is None or closing.text != ")":
                raise FilterError(f"the parenthesis of character {token.at} is not closed")
            self._at += 1
            return inner
        return self.comparison(token)

    def comparison(self, token: _Token) -> Compare:
        path = tuple(token.text.split("."))
        if token.kind != "word" or token.is_word("AND", "OR") or not all(path):
            raise FilterError(f"a field is expected at character {token.at}")
        op = self.take("an operator")
        if op.kind != "op":
            raise FilterError(f"one of = != < <= > >= : is expected at character {op.at}")
        value = self.take("a value")
        if value.kind == "star" and op.text == ":":
            return Compare(path, op.text, "", False, True, token.at)
        following = self.peek()
        if value.kind == "star" or (following is not None and following.kind == "star"):
            raise FilterError(f"a value with a star is written in quotes, at character {value.at}")
        if value.kind not in ("text", "word", "time"):
            raise FilterError(f"a value is expected at character {value.at}")
        quoted = value.kind == "text"
        text = re.sub(r"\\(.)", r"\1", value.text[1:-1], flags=re.DOTALL) if quoted else value.text
        found = pieces(value.text[1:-1]) if quoted and op.text in _PATTERNED else ()
        if any(len(piece) > MAX_PIECE for piece in found[1:]):
            raise FilterError(f"more than {MAX_PIECE} characters follow a star in the text at character {value.at}")
        return Compare(path, op.text, text, quoted, False, token.at, found if len(found) > 1 else ())

    def done(self) -> None:
        token = self.peek()
        if token is not None:
            raise FilterError(f"AND or OR is expected at character {token.at}, not {token.text[:20]!r}")


def parse(text: str) -> Node | None:
    """The filter as a tree; None for an empty one. Raises `FilterError`."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"it is longer than {MAX_LENGTH:,} characters")
    if "\0" in text:
        raise FilterError(f"character {text.index(chr(0)) + 1} is NUL")
    if not text.strip():
        return None
    if any(ord(c) < 32 and c not in "\t\n\r" for c in text):
        raise FilterError("it has control characters")
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    parser.done()
    return node
