"""Parts of an expression that have been checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.expr import tree
from libs.expr.run import Frame, Step
from libs.expr.types import FAULTY, Type


@dataclass(frozen=True, slots=True)
class Checked:
    """A part that has been checked. `path` is set where it is a field, from the variable on."""

    node: tree.Node
    type: Type
    run: Step
    constant: bool = False
    path: str = ""
    roots: frozenset[str] = frozenset()
    """The variables that a list comes from."""
    size: Step | None = None
    """How many elements a list has at most, where that can be said before the run."""
    slot: int = 0
    """The slot of the variable, where it is one or a field of a message in one: then it can always be read."""
    fields: tuple[str, ...] = ()
    """The fields that lead to it from that variable."""

    @property
    def faulty(self) -> bool:
        """Whether a fault was found in it."""
        return self.type is FAULTY

    @property
    def value(self) -> Any:
        """What a constant is."""
        return self.run([])


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: where its value is, and what it is called in names of fields."""

    type: Type
    slot: int
    path: str
    root: str


def nothing(frame: Frame) -> None:
    """What runs in place of a part with a fault: never."""
    return


def constant(node: tree.Node, kind: Type, value: Any) -> Checked:
    """A part whose value is known."""
    return Checked(node, kind, lambda frame: value, constant=True)
