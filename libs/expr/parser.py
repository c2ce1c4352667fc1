"""Reads an expression: the grammar of the Common Expression Language, without maps and messages that are written out.

What binds strongest comes last:

    choice     = or [ "?" or ":" choice ]
    or         = and { "||" and }
    and        = relation { "&&" relation }
    relation   = sum { ("<" | "<=" | ">" | ">=" | "==" | "!=" | "in") sum }
    sum        = product { ("+" | "-") product }
    product    = unary { ("*" | "/" | "%") unary }
    unary      = { "!" } member | { "-" } member
    member     = primary { "." name [ arguments ] | "[" choice "]" }
    primary    = number | text | "true" | "false" | "null" | name [ arguments ] | "(" choice ")" | "[" [ list ] "]"
    arguments  = "(" [ list ] ")"
    list       = choice { "," choice }
"""

from __future__ import annotations

from dataclasses import replace

from libs.expr import tree
from libs.expr.faults import Reason
from libs.expr.integers import MAX_INT, MIN_INT
from libs.expr.tokens import RESERVED, Token, fault, tokens

MAX_DEPTH = 40
"""How many parts may lie within each other."""
_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parse(text: str) -> tree.Node:
    """The tree of a text. Raises `Faults` with the first thing that is not understood."""
    parser = _Parser(text)
    found = parser.choice()
    if parser.next.kind != "end":
        raise parser.unexpected()
    if tree.depth(found) > MAX_DEPTH:
        raise fault(text, 0, f"More than {MAX_DEPTH} parts lie within each other.", Reason.TOO_COSTLY)
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._place = 0
        self._open = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def unexpected(self) -> Exception:
        found = self.next
        what = "The expression ends here, where something is missing." if found.kind == "end" else ""
        return fault(self._text, found.at, what or f"{self._text[found.at : found.end]} is not expected here.")

    def _take(self) -> Token:
        token = self.next
        self._place += 1
        return token

    def _at(self, *signs: str) -> bool:
        token = self.next
        return token.value in signs and (token.kind == "sign" or (token.kind == "name" and token.value == "in"))

    def _skip(self, sign: str) -> Token:
        if not self._at(sign):
            raise self.unexpected()
        return self._take()

    def choice(self) -> tree.Node:
        self._open += 1
        if self._open > MAX_DEPTH:
            raise fault(self._text, self.next.at, f"More than {MAX_DEPTH} parts lie within each other.", Reason.TOO_COSTLY)
        test = self._level(0)
        if self._at("?"):
            self._take()
            yes = self._level(0)
            self._skip(":")
            no = self.choice()
            test = tree.Choice(test.at, no.end, test, yes, no)
        self._open -= 1
        return test

    def _level(self, number: int) -> tree.Node:
        if number == len(_LEVELS):
            return self._unary()
        left = self._level(number + 1)
        parts = [left]
        while self._at(*_LEVELS[number]):
            operator = self._take().value
            right = self._level(number + 1)
            parts.append(right)
            if number > 1:
                left = tree.Binary(left.at, right.end, operator, left, right)
        if number > 1 or len(parts) == 1:
            return left
        return tree.Logic(left.at, parts[-1].end, _LEVELS[number][0], tuple(parts))

    def _unary(self) -> tree.Node:
        signs: list[Token] = []
        while self._at("!", "-") and (not signs or signs[0].value == self.next.value):
            signs.append(self._take())
        if signs and signs[-1].value == "-" and self.next.kind == "number":
            minus, number = signs.pop(), self._take()
            found = self._members(self._number(number, minus.at, negative=True))
        else:
            found = self._members(self._primary())
        for sign in reversed(signs):
            found = tree.Unary(sign.at, found.end, sign.value, found)
        return found

    def _number(self, token: Token, at: int, negative: bool = False) -> tree.Literal:
        value = int(token.value, 16 if token.value[:2] in ("0x", "0X") else 10) * (-1 if negative else 1)
        if not MIN_INT <= value <= MAX_INT:
            raise fault(self._text, at, f"{self._text[at : token.end]} is beyond the numbers of 64 bits.")
        return tree.Literal(at, token.end, value)

    def _members(self, of: tree.Node) -> tree.Node:
        while self._at(".", "["):
            if self._take().value == "[":
                key = self.choice()
                of = tree.Index(of.at, self._skip("]").end, of, key)
                continue
            name = self._name()
            if self._at("("):
                arguments, end = self._arguments()
                of = tree.Call(of.at, end, of, name.value, arguments)
            else:
                of = tree.Select(of.at, name.end, of, name.value)
        return of

    def _name(self) -> Token:
        if self.next.kind != "name" or self.next.value in (*_WORDS, "in"):
            raise self.unexpected()
        return self._take()

    def _arguments(self) -> tuple[tuple[tree.Node, ...], int]:
        self._skip("(")
        found = self._listed(")")
        return found, self._take().end

    def _listed(self, closing: str) -> tuple[tree.Node, ...]:
        found: list[tree.Node] = []
        if not self._at(closing):
            found.append(self.choice())
            while self._at(","):
                self._take()
                found.append(self.choice())
        if not self._at(closing):
            raise self.unexpected()
        return tuple(found)

    def _primary(self) -> tree.Node:
        token = self.next
        if token.kind == "number":
            return self._number(self._take(), token.at)
        if token.kind == "text":
            return tree.Literal(token.at, self._take().end, token.value)
        if token.kind == "name" and token.value != "in":
            return self._word()
        if self._at("("):
            self._take()
            inner = self.choice()
            return replace(inner, at=token.at, end=self._skip(")").end)
        if self._at("["):
            self._take()
            entries = self._listed("]")
            return tree.Listed(token.at, self._take().end, entries)
        if self._at("{"):
            raise fault(self._text, token.at, "Maps are not written out in an expression.", Reason.NOT_ALLOWED)
        raise self.unexpected()

    def _word(self) -> tree.Node:
        token = self._take()
        if token.value in _WORDS:
            return tree.Literal(token.at, token.end, _WORDS[token.value])
        if token.value in RESERVED:
            raise fault(self._text, token.at, f"{token.value} is a word that the language keeps for itself.")
        if self._at("("):
            arguments, end = self._arguments()
            return tree.Call(token.at, end, None, token.value, arguments)
        return tree.Name(token.at, token.end, token.value)
