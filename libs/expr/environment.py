"""Where an expression is written: its variables and functions. It is checked once, and run often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from libs.expr import calls, types
from libs.expr.checker import Checker
from libs.expr.faults import Fault, Faults, Place, Reason, RunError, RunReason
from libs.expr.functions import Function
from libs.expr.parser import parse
from libs.expr.parts import Checked, Variable
from libs.expr.run import MAX_ELEMENTS, Frame, Run, too_large
from libs.expr.types import BOOL, INT, Type

MAX_LENGTH = 400
"""Characters of an expression."""
PAUSE = 0.004
"""Seconds that the event loop waits at most while many runs go on."""


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


@dataclass(frozen=True, slots=True)
class Value:
    """What a run came to: a value, or why there is none."""

    value: bool | int = False
    error: str = ""
    """A sentence; empty where there is a value."""
    reason: RunReason | None = None
    """Why there is no value; None where there is one."""

    @property
    def failed(self) -> bool:
        """Whether there is no value."""
        return self.reason is not None


@dataclass(frozen=True, slots=True)
class Cost:
    """How many parts a run works out at most: `once`, and `each` for every element of the longest list."""

    once: int
    each: int

    def steps(self, elements: int) -> int:
        """The parts of a run with lists of so many elements."""
        return self.once + self.each * elements


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been checked. It holds nothing of a run and may be kept and shared."""

    text: str
    names: frozenset[str]
    """The fields that it reads, from the variable on: `order.items.quantity`."""
    cost: Cost
    reads_line: bool
    """Whether its value depends on the line."""
    _root: Checked
    _checker: Checker
    _variables: tuple[str, ...]

    def run(self, bindings: Mapping[str, Message]) -> Value:
        """What it comes to, never an exception for whatever the bindings hold. Raises KeyError for a binding that is missing."""
        frame = self._frame(bindings)
        try:
            self._small_enough(frame)
            return Value(self._root.run(frame))
        except RunError as error:
            return Value(error=error.sentence, reason=error.reason)

    def _frame(self, bindings: Mapping[str, Message]) -> Frame:
        """The run, the variables, and a slot for the element of each walk."""
        values = [types.bound(bindings[name]) for name in self._variables]
        return [Run(bindings), *values, *[None] * len(self._checker.walks)]

    def _small_enough(self, frame: Frame) -> None:
        """The lists that are gone through, added up before anything runs, so that the parts that decide early change nothing."""
        sizes = [walk.size(frame) for walk in self._checker.walks if walk.size is not None]
        if sum(sizes) > MAX_ELEMENTS:
            raise too_large()


async def run_many(expression: Expression, bindings: Iterable[Mapping[str, Message]]) -> list[Value]:
    """The values for many bindings, in their order; other tasks get their turn every few milliseconds."""
    values: list[Value] = []
    since = perf_counter()
    for each in bindings:
        values.append(expression.run(each))
        if perf_counter() - since > PAUSE:
            await asyncio.sleep(0)
            since = perf_counter()
    return values


class Environment:
    """Variables, each a message of its type, and functions beside those that every environment has.

    `line_variable` names the variable that is another one in each run over the lines of an order. An expression that reads it does not go
    through the lists of other variables: that would be done again for each line.
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

    def check(self, text: str, result: Result) -> Expression:
        """The expression that a text is. Raises `Faults` with all that is wrong with it."""
        if len(text) > MAX_LENGTH:
            raise Faults(
                [Fault(Reason.TOO_LONG, Place.of(text, MAX_LENGTH), f"An expression has at most {MAX_LENGTH} characters.")]
            )
        checker = Checker(text, dict(self._variables), self._functions, self._constants, self._line, slots=len(self._variables))
        root = checker.check(parse(text))
        if not root.faulty and root.type != result.type:
            checker.mistyped(root, f"The expression is {root.type.kind}, where {result.type.kind} is needed.")
        if checker.faults:
            raise Faults(sorted(checker.faults, key=lambda fault: (fault.place.line, fault.place.column)))
        checker.part(root)
        names = frozenset(name for name in checker.reads if not any(other.startswith(f"{name}.") for other in checker.reads))
        line = self._line is not None and any(name.split(".")[0] == self._line for name in checker.reads)
        return Expression(text, names, Cost(checker.once, checker.each), line, root, checker, tuple(self._variables))


def _enums(messages: list[Descriptor]) -> Iterator[tuple[str, int]]:
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
