"""An expression that has been checked, and what its runs come to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

from google.protobuf.message import Message

from libs.expr import types
from libs.expr.faults import Place, RunError, RunReason
from libs.expr.parts import Checked
from libs.expr.run import MAX_ELEMENTS, Frame, Run, Step, too_large

PAUSE = 0.004
"""Seconds that the event loop waits at most while many runs go on."""


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
class Part:
    """A condition within an expression, or what one compares, and what it came to."""

    text: str
    place: Place
    value: bool | int | str | float | None
    """Times and durations in nanoseconds; None for null, and where there is no value."""
    error: str = ""
    """Why there is no value; empty where there is one."""


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
    _parts: tuple[Checked, ...]
    _sizes: tuple[Step, ...]
    _variables: tuple[tuple[str, types.Reader | None], ...]
    _slots: int

    def run(self, bindings: Mapping[str, Message]) -> Value:
        """What it comes to, never an exception for whatever the bindings hold. Raises KeyError for a binding that is missing."""
        try:
            return Value(self._root.run(self._frame(bindings)))
        except RunError as error:
            return Value(error=error.sentence, reason=error.reason)

    def explain(self, bindings: Mapping[str, Message]) -> tuple[Part, ...]:
        """What each of its conditions, and what they compare, comes to by itself, in the order of the text.

        Constants are left out, and so is what happens for each element of a list: the walk through it is one condition.
        """
        return tuple(self._explained(part, bindings) for part in self._parts)

    def _explained(self, part: Checked, bindings: Mapping[str, Message]) -> Part:
        text, place = self.text[part.node.at : part.node.end], Place.of(self.text, part.node.at)
        try:
            value = part.run(self._frame(bindings))
        except RunError as error:
            return Part(text, place, None, error.sentence)
        shown = value if isinstance(value, bool | int | float | str) or value is None else "..."
        return Part(text, place, shown)

    def _frame(self, bindings: Mapping[str, Message]) -> Frame:
        """The run, the variables, and a slot for the element of each walk.

        The lists that are gone through are added up before anything runs, so that parts that decide early change nothing.
        """
        frame: Frame = [Run(bindings)]
        for name, read in self._variables:
            message = bindings[name]
            frame.append(message if read is None else read(message))
        frame.extend([None] * self._slots)
        if self._sizes and sum(size(frame) for size in self._sizes) > MAX_ELEMENTS:
            raise too_large()
        return frame


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
