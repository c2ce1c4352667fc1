"""Reads fields, entries of lists and values of maps."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.struct_pb2 import ListValue, Struct

from libs.expr import tree, types
from libs.expr.faults import RunError
from libs.expr.parts import Checked
from libs.expr.run import Frame, Step, entries, has_member, looked, same
from libs.expr.types import FAULTY, Kind, Type


def selected(node: tree.Node, of: Checked, found: FieldDescriptor, path: str) -> Checked:
    """A field of a message."""
    kind = types.of_field(found) or FAULTY
    read = None if found.is_repeated else types.reader(found.message_type)
    fields = (*of.fields, found.name)
    step = _from_variable(of.slot, attrgetter(".".join(fields))) if of.slot else _from(of.run, attrgetter(found.name))
    size = _length(step) if of.slot and found.is_repeated else None
    # A message that is read as a value of another type has no fields.
    slot = of.slot if read is None else 0
    run = step if read is None else _from(step, read)
    return Checked(node, kind, run, path=path, roots=of.roots, size=size, slot=slot, fields=fields)


def _from_variable(slot: int, get: Callable[[Any], Any]) -> Step:
    return lambda frame: get(frame[slot])


def _from(run: Step, get: Callable[[Any], Any]) -> Step:
    return lambda frame: get(run(frame))


def _length(run: Step) -> Step:
    return lambda frame: len(run(frame))


def mapped(of: Step, key: Step, element: Type) -> Step:
    """What a map has under a key."""

    plain = element.kind is not Kind.DYNAMIC

    def run(frame: Frame) -> Any:
        found, name = of(frame), key(frame)
        if name not in found:
            raise RunError(f"There is no {name[:60]!r}.")
        return found[name] if plain else looked(frame[0], types.dynamic(found[name]))

    return run


def indexed(of: Step, at: Step, element: Type) -> Step:
    """The entry of a list, counted from 0."""
    convert = elements(element)

    def run(frame: Frame) -> Any:
        found, place = of(frame), at(frame)
        if not 0 <= place < len(found):
            raise RunError(f"The list has no entry {place}.")
        return convert(frame, (found[place],))[0]

    return run


def elements(element: Type) -> Callable[[Frame, Any], Any]:
    """What makes values of expressions of the elements of a list."""
    if element.kind is Kind.DYNAMIC:
        return lambda frame, found: [looked(frame[0], types.dynamic(value)) for value in found]
    return lambda frame, found: found


def keyed(left: Step, right: Step, struct: bool) -> Step:
    """Whether a map has a key."""
    if struct:
        return lambda frame: has_member(frame[0], right(frame), left(frame))
    return lambda frame: left(frame) in right(frame)


def among(left: Step, right: Checked, dynamic: bool) -> Step:
    """Whether a list has a value, or a map of any values a key."""
    values = right.run
    convert = elements(right.type.element or right.type) if right.type.kind is Kind.LIST else None

    def run(frame: Frame) -> bool:
        value, found = left(frame), values(frame)
        if isinstance(found, ListValue | Struct):
            found = entries(frame[0], found)
        frame[0].spend(2 * len(found))
        if convert is not None:
            found = convert(frame, found)
        return any(same(value, one) for one in found) if dynamic else value in found

    return run
