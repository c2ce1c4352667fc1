"""What is wrong with an expression, when it is saved and when it is run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_NAMES = 25
"""How many names a sentence has."""


class Reason(StrEnum):
    """Why an expression is refused when it is saved."""

    SYNTAX = "SYNTAX"
    """It is not written in the language."""
    UNKNOWN_NAME = "UNKNOWN_NAME"
    """A variable, a field or a function that there is not."""
    TYPE = "TYPE"
    """A value of another type than its place takes."""
    NOT_ALLOWED = "NOT_ALLOWED"
    """Something that the language leaves out on purpose."""
    TOO_LONG = "TOO_LONG"
    """It has too many characters."""
    TOO_COSTLY = "TOO_COSTLY"
    """It is nested too deeply, or goes through lists too often."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the text: line and column count from 1, in characters."""

    line: int
    column: int

    @staticmethod
    def of(text: str, at: int) -> Place:
        """The place of the character at an index, which may be the end."""
        before = text[:at]
        return Place(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `sentence` is for the person who wrote the expression."""

    reason: Reason
    place: Place
    sentence: str

    def __str__(self) -> str:
        return f"line {self.place.line}, column {self.place.column}: {self.sentence}"


def named(names: Iterable[str]) -> str:
    """Names for a sentence, so many that it stays one."""
    found = list(names)
    return ", ".join(found[:MAX_NAMES]) + (f" and {len(found) - MAX_NAMES} more" if len(found) > MAX_NAMES else "")


class Faults(ValueError):
    """What is wrong with an expression, in the order of the text; never empty."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class RunReason(StrEnum):
    """Why a run has no result."""

    FAILED = "FAILED"
    """A value that was needed is not there, is of another type, or cannot be worked out."""
    TOO_LARGE = "TOO_LARGE"
    """The lists or texts are too large for this expression."""


class RunError(Exception):
    """An expression has no result. Functions of an environment may raise it; `Expression.run` turns it into a value."""

    def __init__(self, sentence: str, reason: RunReason = RunReason.FAILED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason
