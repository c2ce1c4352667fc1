"""One run of an expression, and what it may still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct

from libs.expr.faults import RunError, RunReason
from libs.expr.types import dynamic

MAX_ELEMENTS = 9_999
"""Elements that the walks of one run go through, together."""
MAX_WORK = 500_000
"""What looking into xp, long texts and lists may cost in one run, in units of about 25 nanoseconds."""
_LOOK = 20
"""Units for one look at a value of no fixed type."""
_SHOWN = 60
"""Characters of a key in a sentence."""
_MISS = 60
"""Units for a part that has no value."""
_CHARACTERS = 4
"""Characters of a text to a unit, as a power of two."""


class Run:
    """The first thing in every frame: the bindings, and what is left to spend."""

    __slots__ = ("bindings", "elements", "work")

    def __init__(self, bindings: Mapping[str, Message]) -> None:
        self.bindings = bindings
        self.elements = MAX_ELEMENTS
        self.work = MAX_WORK

    def spend(self, units: int) -> None:
        """Takes from what is left. Raises `RunError` when nothing is."""
        self.work -= units
        if self.work < 0:
            raise too_large()

    def walk(self, elements: int) -> None:
        """Goes through that many elements of a list. Raises `RunError` when they are too many."""
        self.elements -= elements
        if self.elements < 0:
            raise too_large()

    def missed(self, error: RunError) -> None:
        """Goes on without the value of one part, paid for. Raises the error itself where there is no going on."""
        if error.reason is RunReason.TOO_LARGE:
            raise error
        self.spend(_MISS)


def too_large() -> RunError:
    """The lists or texts are more than an expression may go through."""
    return RunError("The lists or texts are too large for this expression.", RunReason.TOO_LARGE)


Frame = list[Any]
"""The run first, then the variables in the slots that the check gave them."""
Step = Callable[[Frame], Any]
"""A part of an expression, ready to run."""


def looked(run: Run, value: Any) -> Any:
    """A value of no fixed type, paid for."""
    run.spend(_LOOK + (len(value) >> _CHARACTERS) if isinstance(value, str) else _LOOK)
    return value


def member(run: Run, of: Any, key: str) -> Any:
    """What a map of any values has under a key. Raises `RunError` where there is none."""
    if not isinstance(of, Struct):
        raise RunError(f"What is asked for {key[:_SHOWN]!r} is no map.")
    value = of.fields.get(key)
    if value is None:
        raise RunError(f"There is no {key[:_SHOWN]!r}.")
    return looked(run, dynamic(value))


def has_member(run: Run, of: Any, key: str) -> bool:
    """Whether a map of any values has a key."""
    run.spend(_LOOK)
    if not isinstance(of, Struct):
        raise RunError(f"What is asked for {key[:_SHOWN]!r} is no map.")
    return key in of.fields


def entry(run: Run, of: Any, index: int) -> Any:
    """An entry of a list of any values, counted from 0."""
    if not isinstance(of, ListValue):
        raise RunError("What is asked for an entry is no list.")
    if not 0 <= index < len(of.values):
        raise RunError(f"The list has no entry {index}.")
    return looked(run, dynamic(of.values[index]))


def entries(run: Run, of: Any) -> list[Any]:
    """The entries of a list of any values, or the keys of a map of them."""
    if isinstance(of, ListValue):
        run.spend(_LOOK * len(of.values))
        return [looked(run, dynamic(value)) for value in of.values]
    if isinstance(of, Struct):
        run.spend(_LOOK * len(of.fields))
        return list(of.fields)
    raise RunError("What is gone through is no list.")


def same(left: Any, right: Any) -> bool:
    """Whether values of no fixed type are equal: numbers by their value, never across types."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, Struct | ListValue) and isinstance(right, Struct | ListValue):
        raise RunError("Lists and maps are not compared.")
    return left is None and right is None


def ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values of no fixed type that have an order. Raises `RunError` for others."""
    for kind in (bool, str):
        if isinstance(left, kind) and isinstance(right, kind):
            return left, right
    if (
        not isinstance(left, bool)
        and not isinstance(right, bool)
        and isinstance(left, int | float)
        and isinstance(right, int | float)
    ):
        return left, right
    raise RunError("Values of these types have no order.")


def text(value: Any) -> str:
    """A value that must be a text."""
    if not isinstance(value, str):
        raise RunError("A value that must be a text is none.")
    return value


def contains(run: Run, whole: str, piece: str) -> bool:
    """Whether a text has a piece; paid for by the product of their lengths, which bounds the search."""
    run.spend(len(whole) * max(len(piece), 1) >> _CHARACTERS)
    return piece in whole
