"""Where an expression is written: its variables and functions. It is checked once, and run often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from google.protobuf.message import Message

from libs.expr import calls, types
from libs.expr.checker import Checker
from libs.expr.expression import Cost, Expression
from libs.expr.faults import Fault, Faults, Place, Reason
from libs.expr.functions import Function
from libs.expr.parser import parse
from libs.expr.parts import Checked, Variable
from libs.expr.types import BOOL, INT, Type

MAX_LENGTH = 400
"""Characters of an expression."""
MAX_FAULTS = 10
"""How many of its faults are named: an answer has room for those of many expressions."""


class Result(StrEnum):
    """What an expression must come to."""

    CONDITION = "CONDITION"
    """True or false."""
    AMOUNT = "AMOUNT"
    """A whole number: micros where it is money."""

    @property
    def type(self) -> Type:
        """The type of such an expression."""
        return BOOL if self is Result.CONDITION else INT


class Environment:
    """Variables, each a message of its type, and functions beside those that every environment has.

    `line_variable` names the variable that is another one in each run over the lines of an order. An expression that reads it
    goes through no lists of other variables: that would be done again for each line.
    """

    def __init__(
        self,
        variables: Mapping[str, type[Message]],
        functions: Mapping[str, Function] | None = None,
        line_variable: str | None = None,
    ) -> None:
        self._functions = dict(functions or {})
        if taken := set(self._functions) & {*calls.FUNCTIONS}:
            raise ValueError(f"every environment has a function {min(taken)}")
        self._variables = {
            name: Variable(types.of_message(kind.DESCRIPTOR), slot, name, name)
            for slot, (name, kind) in enumerate(variables.items(), 1)
        }
        self._constants = dict(_enums([kind.DESCRIPTOR for kind in variables.values()]))
        self._line = line_variable
        self._readers = tuple((name, types.reader(kind.DESCRIPTOR)) for name, kind in variables.items())

    def check(self, text: str, result: Result) -> Expression:
        """The expression that a text is. Raises `Faults` with what is wrong with it, the first ten at most."""
        if len(text) > MAX_LENGTH:
            raise Faults(
                [Fault(Reason.TOO_LONG, Place.of(text, MAX_LENGTH), f"An expression has at most {MAX_LENGTH} characters.")]
            )
        checker = Checker(text, dict(self._variables), self._functions, self._constants, self._line, slots=len(self._variables))
        root = checker.check(parse(text))
        if not root.faulty and root.type != result.type:
            checker.mistyped(root, f"The expression is {root.type.kind}, where {result.type.kind} is needed.")
        if self._reads_line(checker):
            _only_lists_of_the_line(checker, self._line)
        if checker.faults:
            raise Faults(sorted(checker.faults, key=lambda fault: (fault.place.line, fault.place.column))[:MAX_FAULTS])
        return self._made(text, checker, checker.part(root))

    def _made(self, text: str, checker: Checker, root: Checked) -> Expression:
        reads = checker.reads
        names = frozenset(name for name in reads if not any(other.startswith(f"{name}.") for other in reads))
        return Expression(
            text=text,
            names=names,
            cost=Cost(checker.once, checker.each),
            reads_line=self._reads_line(checker),
            _root=root,
            _parts=tuple(sorted(checker.parts, key=lambda part: (part.node.at, -part.node.end))),
            _sizes=tuple(walk.size for walk in checker.walks if walk.size is not None),
            _variables=self._readers,
            _slots=len(checker.walks),
        )

    def _reads_line(self, checker: Checker) -> bool:
        return self._line is not None and any(name.split(".")[0] == self._line for name in checker.reads)


def _only_lists_of_the_line(checker: Checker, line: str | None) -> None:
    for source in checker.sources:
        if source.roots - {line}:
            sentence = f"An expression that reads {line} goes only through lists of {line}."
            checker.fault(Reason.TOO_COSTLY, source.node, sentence)


def _enums(messages: list[Any]) -> Iterator[tuple[str, int]]:
    """The values of all enums that messages lead to, by their names."""
    seen: set[str] = set()
    while messages:
        message = messages.pop()
        if message.full_name in seen:
            continue
        seen.add(message.full_name)
        for field in message.fields:
            if field.enum_type is not None:
                yield from ((value.name, value.number) for value in field.enum_type.values)
            if field.message_type is not None:
                messages.append(field.message_type)
