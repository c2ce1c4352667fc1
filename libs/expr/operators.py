"""Operators: arithmetic that never leaves 64 bits, comparisons, conditions.

As the Common Expression Language has it: division cuts towards zero, and an error in one part of a condition does not count where
another part decides.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from libs.expr.faults import RunError
from libs.expr.integers import MAX_INT, MIN_INT, whole
from libs.expr.literals import LONGEST
from libs.expr.run import Frame, Step, ordered, same
from libs.expr.types import DURATION, INT, SCALARS, SECOND, TIME, Kind, Type

_EARLIEST, _LATEST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _divided(left: int, right: int) -> int:
    if right == 0:
        raise RunError("A number is divided by zero.")
    quotient = abs(left) // abs(right)
    return whole(quotient if (left < 0) == (right < 0) else -quotient)


def _rest(left: int, right: int) -> int:
    return left - _divided(left, right) * right


def _time(value: int) -> int:
    if _EARLIEST <= value <= _LATEST:
        return value
    raise RunError("A time is before the year 1 or after the year 9999.")


def span(value: int) -> int:
    """A duration, unless it is longer than 10,000 years: then `RunError`."""
    if -LONGEST <= value <= LONGEST:
        return value
    raise RunError("A duration is longer than 10,000 years.")


Maker = Callable[[Step, Step], Step]
"""What makes one part of two."""


def _checked(compute: Callable[[int, int], int]) -> Maker:
    return lambda left, right: both(compute, left, right)


def _added(left: Step, right: Step) -> Step:
    def run(frame: Frame) -> int:
        value: int = left(frame) + right(frame)
        return value if MIN_INT <= value <= MAX_INT else whole(value)

    return run


def _less(left: Step, right: Step) -> Step:
    def run(frame: Frame) -> int:
        value: int = left(frame) - right(frame)
        return value if MIN_INT <= value <= MAX_INT else whole(value)

    return run


def _times(left: Step, right: Step) -> Step:
    def run(frame: Frame) -> int:
        value: int = left(frame) * right(frame)
        return value if MIN_INT <= value <= MAX_INT else whole(value)

    return run


_ARITHMETIC: dict[tuple[str, Kind, Kind], tuple[Type, Maker]] = {
    ("+", Kind.INT, Kind.INT): (INT, _added),
    ("-", Kind.INT, Kind.INT): (INT, _less),
    ("*", Kind.INT, Kind.INT): (INT, _times),
    ("/", Kind.INT, Kind.INT): (INT, _checked(_divided)),
    ("%", Kind.INT, Kind.INT): (INT, _checked(_rest)),
    ("+", Kind.TIME, Kind.DURATION): (TIME, _checked(lambda left, right: _time(left + right))),
    ("+", Kind.DURATION, Kind.TIME): (TIME, _checked(lambda left, right: _time(left + right))),
    ("-", Kind.TIME, Kind.DURATION): (TIME, _checked(lambda left, right: _time(left - right))),
    ("-", Kind.TIME, Kind.TIME): (DURATION, _checked(lambda left, right: span(left - right))),
    ("+", Kind.DURATION, Kind.DURATION): (DURATION, _checked(lambda left, right: span(left + right))),
    ("-", Kind.DURATION, Kind.DURATION): (DURATION, _checked(lambda left, right: span(left - right))),
}


def arithmetic(sign: str, left: Type, right: Type) -> tuple[Type, Maker] | None:
    """The type of what comes out and what makes it; None where the types do not go together."""
    return _ARITHMETIC.get((sign, left.kind, right.kind))


def both(compute: Callable[[Any, Any], Any], left: Step, right: Step) -> Step:
    """Works out something from two parts."""
    return lambda frame: compute(left(frame), right(frame))


def negated(of: Step) -> Step:
    """Minus a number."""
    return lambda frame: whole(-of(frame))


def inverted(of: Step) -> Step:
    """Whether a condition does not hold."""
    return lambda frame: not of(frame)


def comparable(sign: str, left: Type, right: Type) -> bool:
    """Whether values of two types can be compared with each other."""
    kinds = {left.kind, right.kind}
    if Kind.DYNAMIC in kinds:
        plain = kinds <= {Kind.DYNAMIC, Kind.BOOL, Kind.INT, Kind.TEXT}
        return plain or (sign in ("==", "!=") and kinds <= {Kind.DYNAMIC, Kind.NULL})
    if len(kinds) > 1:
        return False
    return left.kind in SCALARS


def compared(sign: str, left: Step, right: Step) -> Step:
    """A comparison of two parts of one type."""
    return both(COMPARISONS[sign], left, right)


def compared_with(sign: str, left: Step, value: Any) -> Step:
    """A comparison of a part with a constant of its type."""
    compare = COMPARISONS[sign]
    return lambda frame: compare(left(frame), value)


def compared_any(sign: str, left: Step, right: Step) -> Step:
    """A comparison of two parts; the type of one is known in the run only."""
    if sign == "==":
        return both(same, left, right)
    if sign == "!=":
        return lambda frame: not same(left(frame), right(frame))
    compare = COMPARISONS[sign]

    def run(frame: Frame) -> bool:
        one, other = ordered(left(frame), right(frame))
        return compare(one, other)

    return run


def either(parts: Sequence[Step], decisive: bool) -> Step:
    """Whether one of the conditions holds (`decisive` is true), or all do (it is false)."""
    return decided(lambda _: parts, decisive)


def decided(parts: Callable[[Frame], Iterable[Step]], decisive: bool) -> Step:
    """The same of the conditions that a run has, one after the other.

    A part that has no value raises only where no other part decides.
    """

    def run(frame: Frame) -> bool:
        error: RunError | None = None
        for part in parts(frame):
            try:
                if part(frame) is decisive:
                    return bool(decisive)
            except RunError as failed:
                frame[0].missed(failed)
                error = error or failed
        if error is not None:
            raise error
        return not decisive

    return run


def chosen(test: Step, yes: Step, no: Step) -> Step:
    """The one part or the other; the part that is not chosen is not worked out."""
    return lambda frame: yes(frame) if test(frame) else no(frame)
