"""Going through lists: the four macros, the sums, and `has`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from libs.expr import access, tree, types
from libs.expr.faults import Reason
from libs.expr.integers import whole
from libs.expr.operators import decided
from libs.expr.parts import Checked, Variable, nothing
from libs.expr.run import Frame, Step, entries, has_member
from libs.expr.types import BOOL, DYNAMIC, FAULTY, INT, TEXT, Kind, Type

if TYPE_CHECKING:
    from libs.expr.checker import Checker

MACROS = ("exists", "all", "exists_one", "filter")
SUMS = {"total": "subtotal", "quantity": "quantity"}
"""What sums over a list add up: the field of this name of its elements."""
MAX_WALKS = 3
"""How often an expression may go through a list."""


def walk(checker: Checker, node: tree.Call, source: tree.Node) -> Checked:
    """One of the macros: `order.items.exists(i, i.quantity > 3)`."""
    if len(node.arguments) != 2 or not isinstance(node.arguments[0], tree.Name):
        return checker.fault(Reason.SYNTAX, node, f"{node.name} takes a name for an element, and a condition.")
    name, body = node.arguments[0], node.arguments[1]
    of = checker.check(source)
    if of.faulty:
        return of
    if of.type.kind not in (Kind.LIST, Kind.MAP, Kind.STRUCT, Kind.DYNAMIC):
        return checker.mistyped(of, f"{node.name} goes through a list; {checker.said(of)} is {of.type.kind}.")
    if not _may_walk(checker, node):
        return Checked(node, FAULTY, nothing)
    checker.walks.append(of)
    checker.sources.append(of)
    if len(checker.walks) > MAX_WALKS:
        return checker.fault(Reason.TOO_COSTLY, node, f"An expression goes through lists at most {MAX_WALKS} times.")
    if name.name in checker.variables or name.name in checker.constants:
        return checker.fault(Reason.NOT_ALLOWED, name, f"{name.name} is the name of a variable: give the element another one.")
    condition, slot = _body(checker, name.name, body, of)
    if condition.faulty:
        return condition
    kind = (of.type if of.type.kind is Kind.LIST else Type(Kind.LIST, None, _element(of))) if node.name == "filter" else BOOL
    run = _MAKERS[node.name](_source(of), slot, condition.run)
    return Checked(node, kind, run, path=of.path, roots=of.roots, size=of.size)


def _may_walk(checker: Checker, node: tree.Node) -> bool:
    if checker.inside:
        checker.fault(Reason.TOO_COSTLY, node, "A list is not gone through for each element of another.")
        return False
    return True


def _element(of: Checked) -> Type:
    if of.type.kind is Kind.LIST:
        return of.type.element or FAULTY
    return DYNAMIC if of.type.kind is Kind.DYNAMIC else TEXT


def _body(checker: Checker, name: str, body: tree.Node, of: Checked) -> tuple[Checked, int]:
    checker.slots += 1
    slot = checker.slots
    checker.variables[name] = Variable(_element(of), slot, of.path, next(iter(of.roots), ""))
    checker.inside = True
    checker.each += 1
    condition = checker.condition(body)
    checker.inside = False
    del checker.variables[name]
    return condition, slot


def _source(of: Checked) -> Callable[[Frame], Any]:
    """What is gone through, counted before the first element."""
    run, kind = of.run, of.type.kind
    convert = access.elements(of.type.element) if kind is Kind.LIST and of.type.element else None

    def source(frame: Frame) -> Any:
        found = run(frame)
        if kind is Kind.DYNAMIC:
            found = entries(frame[0], found)
        elif kind is Kind.STRUCT:
            found = list(found.fields)
        frame[0].walk(len(found))
        return convert(frame, found) if convert is not None else found

    return source


def _decided(source: Step, slot: int, condition: Step, decisive: bool) -> Step:
    """Whether the condition holds for one element (`decisive` is true), or for all of them (it is false)."""

    def parts(frame: Frame) -> Iterator[Step]:
        for element in source(frame):
            frame[slot] = element
            yield condition

    return decided(parts, decisive)


def _exists(source: Step, slot: int, condition: Step) -> Step:
    return _decided(source, slot, condition, True)


def _all(source: Step, slot: int, condition: Step) -> Step:
    return _decided(source, slot, condition, False)


def _filter(source: Step, slot: int, condition: Step) -> Step:
    def run(frame: Frame) -> list[Any]:
        kept = []
        for element in source(frame):
            frame[slot] = element
            if condition(frame):
                kept.append(element)
        return kept

    return run


def _exists_one(source: Step, slot: int, condition: Step) -> Step:
    kept = _filter(source, slot, condition)
    return lambda frame: len(kept(frame)) == 1


_MAKERS: dict[str, Callable[[Step, int, Step], Step]] = {
    "exists": _exists,
    "all": _all,
    "filter": _filter,
    "exists_one": _exists_one,
}


def summed(checker: Checker, node: tree.Call) -> Checked:
    """`total(list)` and `quantity(list)`: one field of the elements, added up."""
    name = SUMS[node.name]
    if len(node.arguments) != 1:
        return checker.fault(Reason.TYPE, node, f"{node.name} takes a list.")
    of = checker.check(node.arguments[0])
    message = of.type.element.message if of.type.kind is Kind.LIST and of.type.element else None
    field = message.fields_by_name.get(name) if message is not None else None
    if field is None or types.of_field(field) != INT:
        return checker.mistyped(
            of, f"{node.name} takes a list whose elements have a {name}; {checker.said(of)} is {of.type.kind}."
        )
    if not _may_walk(checker, node):
        return Checked(node, FAULTY, nothing)
    checker.sources.append(of)
    checker.reads.add(f"{of.path}.{name}" if of.path else name)
    get, read, run = attrgetter(name), types.reader(field.message_type), of.run

    def total(frame: Frame) -> int:
        values = map(get, run(frame))
        return whole(sum(map(read, values) if read is not None else values))

    return Checked(node, INT, total)


def has(checker: Checker, node: tree.Call) -> Checked:
    """`has(order.xp.color)`: whether a field is set, or a map has a key."""
    given = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(given, tree.Select):
        return checker.fault(Reason.SYNTAX, node, "has takes a field, as has(order.xp.color).")
    of = checker.check(given.of)
    if of.faulty:
        return of
    run, key = of.run, given.field
    checker.reads.add(f"{of.path}.{key}")
    if of.type.kind in (Kind.STRUCT, Kind.DYNAMIC):
        return Checked(node, BOOL, lambda frame: has_member(frame[0], run(frame), key))
    if of.type.kind is Kind.MAP:
        return Checked(node, BOOL, lambda frame: key in run(frame))
    found = checker.field(of, given)
    if isinstance(found, Checked):
        return found
    return Checked(node, BOOL, _present(run, found))


def _present(run: Step, field: FieldDescriptor) -> Step:
    name = field.name
    if field.is_repeated:
        return lambda frame: len(getattr(run(frame), name)) > 0
    if field.has_presence:
        return lambda frame: run(frame).HasField(name)
    return lambda frame: getattr(run(frame), name) != field.default_value
