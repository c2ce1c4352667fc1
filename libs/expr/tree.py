"""An expression as it was written, before anything is known of its names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: the characters from `at` up to, not including, `end`."""

    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a text in quotes, true, false or null."""

    value: bool | int | str | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """A field: `order.subtotal`."""

    of: Node
    field: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """What a list or a map has at a place: `order.xp['tax-free']`."""

    of: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function, or a method where it is written behind a value: `of` is that value."""

    of: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-` or `!`."""

    operator: str
    of: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic, a comparison or `in`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Conditions of which all (`&&`) or one (`||`) must hold."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Listed(Node):
    """`['a', 'b']`."""

    entries: tuple[Node, ...]


def children(node: Node) -> Iterator[Node]:
    """The parts that a part is made of, in the order of the text."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from value


def depth(tree: Node) -> int:
    """How many parts lie within each other."""
    level, deepest = [tree], 0
    while level:
        deepest += 1
        level = [child for node in level for child in children(node)]
    return deepest
