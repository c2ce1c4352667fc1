"""The filter language: comparisons, AND, OR, NOT or -, parentheses.

A subset of AIP-160: no functions, no bare words. AND and OR do not mix without parentheses. Values are quoted texts,
numbers, true, false, or bare words such as enum names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LENGTH = 2_000
MAX_DEPTH = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<op><=|>=|!=|=|<|>|:)|(?P<paren>[()])|(?P<minus>-(?=[A-Za-z(]))
    |(?P<word>[A-Za-z0-9_.+\-]+))""",
    re.VERBOSE,
)


class FilterError(ValueError):
    """The filter does not parse."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `quoted` tells a text from a bare word."""

    path: tuple[str, ...]
    op: str
    value: str
    quoted: bool


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


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise FilterError(f"character {at + 1} is not understood")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> _Token:
        token = self.peek()
        if token is None:
            raise FilterError("it ends too early")
        self._at += 1
        return token

    def expression(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FilterError(f"parentheses go deeper than {MAX_DEPTH}")
        items = [self.term(depth)]
        joined = ""
        while (token := self.peek()) is not None and token.text.upper() in ("AND", "OR"):
            op = self.take().text.upper()
            if joined and op != joined:
                raise FilterError(f"AND and OR mix at character {token.at + 1}: use parentheses")
            joined = op
            items.append(self.term(depth))
        return items[0] if not joined else Group(joined, tuple(items))

    def term(self, depth: int) -> Node:
        token = self.take()
        if token.kind == "minus" or (token.kind == "word" and token.text.upper() == "NOT"):
            return Not(self.term(depth + 1))
        if token.text == "(" and token.kind == "paren":
            inner = self.expression(depth + 1)
            if self.take().text != ")":
                raise FilterError("a parenthesis is not closed")
            return inner
        if token.kind != "word":
            raise FilterError(f"a field is expected at character {token.at + 1}")
        op = self.take()
        if op.kind != "op":
            raise FilterError(f"a comparison is expected at character {op.at + 1}")
        value = self.take()
        if value.kind not in ("text", "word"):
            raise FilterError(f"a value is expected at character {value.at + 1}")
        quoted = value.kind == "text"
        text = re.sub(r"\\(.)", r"\1", value.text[1:-1]) if quoted else value.text
        return Compare(tuple(token.text.split(".")), op.text, text, quoted)

    def done(self) -> None:
        token = self.peek()
        if token is not None:
            raise FilterError(f"{token.text!r} at character {token.at + 1} is not expected")


def parse(text: str) -> Node | None:
    """The filter as a tree; None for an empty one. Raises `FilterError`."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"it is longer than {MAX_LENGTH:,} characters")
    if not text.strip():
        return None
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    parser.done()
    return node
