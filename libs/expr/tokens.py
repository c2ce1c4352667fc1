"""The words of an expression, as the Common Expression Language has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from libs.expr.faults import Fault, Faults, Place, Reason

RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"}
    | {"package", "namespace", "return", "var", "void", "while"}
)
"""Words that the Common Expression Language keeps for itself."""
_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\r\f]+|//[^\n]*)
    |(?P<decimal>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    |(?P<unsigned>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU])
    |(?P<number>0[xX][0-9a-fA-F]+|[0-9]+)
    |(?P<prefixed>[rRbB]{1,2}["'])
    |(?P<text>"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[<>+\-*/%!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"} | {c: c for c in "\\?\"'`"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `kind` is `number`, `text`, `name`, `sign` or `end`; `value` is a text without its quotes."""

    kind: str
    value: str
    at: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, an `end` last. Raises `Faults`."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            quoted = text[at] in "\"'"
            raise fault(text, at, "A text in quotes has no end." if quoted else f"{text[at]!r} is no part of the language.")
        kind, end = str(found.lastgroup), found.end()
        if kind in ("decimal", "unsigned", "prefixed"):
            raise fault(text, at, _LEFT_OUT[kind], Reason.NOT_ALLOWED)
        if kind == "number" and end < len(text) and (text[end].isalnum() or text[end] == "_"):
            raise fault(text, end, "A number is followed by a letter.")
        if kind == "text":
            yield Token(kind, _unescaped(text, at, found.group()[1:-1]), at, end)
        elif kind != "space":
            yield Token(kind, found.group(), at, end)
        at = end
    yield Token("end", "", at, at)


_LEFT_OUT = {
    "decimal": "Numbers are whole: write an amount as money('12.50') and a part of one as percent(amount, '12.5').",
    "unsigned": "Numbers have no sign of their kind: leave out the u.",
    "prefixed": "A text has no letter before its quotes.",
}


def fault(text: str, at: int, sentence: str, reason: Reason = Reason.SYNTAX) -> Faults:
    """The one fault of a text that cannot be read on."""
    return Faults([Fault(reason, Place.of(text, at), sentence)])


def _unescaped(text: str, at: int, body: str) -> str:
    def one(found: re.Match[str]) -> str:
        code = found.group(1)
        if code in _PLAIN:
            return _PLAIN[code]
        if len(code) == 1:
            raise fault(text, at + 1 + found.start(), f"\\{code} stands for nothing.")
        point = int(code, 8) if code.isdigit() and len(code) == 3 else int(code[1:], 16)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise fault(text, at + 1 + found.start(), f"\\{code} is no character.")
        return chr(point)

    return _ESCAPE.sub(one, body)
