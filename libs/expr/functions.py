"""Functions that an environment adds to the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from libs.expr.types import Type

Answer = bool | int | str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an environment: `approved('rule')`.

    `call` gets the bindings of the run, and then the arguments; it is pure, and quick. It may raise `RunError`. Parameters and
    result are BOOL, INT, TEXT or TIME. `literal` says that the arguments must be constants.
    """

    parameters: tuple[Type, ...]
    result: Type
    call: Callable[..., Answer]
    literal: bool = False

    def bound(self, bindings: Mapping[str, Message], *arguments: Answer) -> Answer:
        """What it answers in a run."""
        return self.call(bindings, *arguments)
