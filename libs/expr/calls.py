"""Functions and methods: which there are, and what they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from libs.expr import lists, literals, tree
from libs.expr.faults import Reason, named
from libs.expr.integers import whole
from libs.expr.parts import Checked, constant, nothing
from libs.expr.run import Frame, Step, contains, entries, text
from libs.expr.types import BOOL, DURATION, DYNAMIC, FAULTY, INT, SECOND, TEXT, TIME, Kind, Type
from libs.money import nearest, round_half_up

if TYPE_CHECKING:
    from libs.expr.checker import Checker

_LEFT_OUT = {
    "map": "Lists are not made of lists: use filter, exists, all, exists_one, total or quantity.",
    "matches": "There are no patterns: use startsWith, endsWith or contains.",
    "double": "Numbers are whole: write money('12.50').",
    "dyn": "Every value has its type.",
    "int": "Values are not converted.",
    "uint": "Values are not converted.",
    "string": "Values are not converted.",
    "bytes": "Values are not converted.",
    "bool": "Values are not converted.",
    "type": "Types are not compared.",
}
_LITERALS: dict[str, tuple[Type, Callable[[str], int | None], str]] = {
    "money": (INT, literals.amount, "an amount with at most 6 decimals, as money('12.50')"),
    "timestamp": (TIME, literals.time, "a time, as timestamp('2026-06-15T00:00:00Z')"),
    "duration": (DURATION, literals.duration, "a duration, as duration('36h') or duration('1h30m')"),
}
_TESTS = ("startsWith", "endsWith", "contains")
_PARTS_OF_TIME: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
}
METHODS = (*lists.MACROS, *_TESTS, *_PARTS_OF_TIME, "size")
FUNCTIONS = ("has", "size", "min", "max", "percent", "round", *lists.SUMS, *_LITERALS)
"""The functions of every environment; its own cannot have these names."""


def check(checker: Checker, node: tree.Call) -> Checked:
    """A call of a function or a method."""
    if node.name in _LEFT_OUT:
        return checker.fault(Reason.NOT_ALLOWED, node, _LEFT_OUT[node.name])
    if node.of is not None:
        if node.name in lists.MACROS:
            return lists.walk(checker, node, node.of)
        if node.name in METHODS:
            return _method(checker, node, node.of)
        return checker.fault(Reason.UNKNOWN_NAME, node, f"There is no method {node.name}; there are {named(METHODS)}.")
    if node.name == "has":
        return lists.has(checker, node)
    if node.name in _LITERALS:
        kind, read, meant = _LITERALS[node.name]
        return _literal(checker, node, kind, read, meant)
    if node.name in lists.SUMS:
        return lists.summed(checker, node)
    known = {"size": _size, "min": _extreme, "max": _extreme, "percent": _percent, "round": _round}.get(node.name)
    if known is not None:
        return known(checker, node, node.arguments)
    return _own(checker, node)


def _count(checker: Checker, node: tree.Call, wanted: int) -> bool:
    if len(node.arguments) == wanted:
        return True
    checker.fault(Reason.TYPE, node, f"{node.name} takes {wanted} arguments; here are {len(node.arguments)}.")
    return False


def _literal(checker: Checker, node: tree.Call, kind: Type, read: Callable[[str], int | None], meant: str) -> Checked:
    given = node.arguments[0] if len(node.arguments) == 1 else None
    value = read(given.value) if isinstance(given, tree.Literal) and isinstance(given.value, str) else None
    if value is None:
        return checker.fault(Reason.TYPE, given or node, f"{node.name} takes {meant}.")
    return constant(node, kind, value)


def _percent(checker: Checker, node: tree.Call, arguments: tuple[tree.Node, ...]) -> Checked:
    given = arguments[1] if len(arguments) == 2 else None
    rate = literals.rate(given.value) if isinstance(given, tree.Literal) and isinstance(given.value, str) else None
    if rate is None:
        return checker.fault(Reason.TYPE, given or node, "percent takes an amount and a rate, as percent(amount, '12.5').")
    of = checker.check(arguments[0])
    if of.type != INT:
        return checker.mistyped(of, f"percent takes an amount; {checker.said(of)} is {of.type.kind}.")
    run, (over, under) = of.run, rate.as_integer_ratio()
    return checker.folded(node, INT, lambda frame: whole(nearest(run(frame) * over, under)), of)


def _round(checker: Checker, node: tree.Call, arguments: tuple[tree.Node, ...]) -> Checked:
    if not _count(checker, node, 2):
        return Checked(node, FAULTY, nothing)
    of, unit = checker.check(arguments[0]), checker.check(arguments[1])
    if of.type != INT:
        return checker.mistyped(of, f"round takes a number; {checker.said(of)} is {of.type.kind}.")
    if unit.type != INT or not unit.constant or unit.value <= 0:
        return checker.mistyped(unit, "round takes the unit as a constant above zero, as round(amount, money('0.05')).")
    run, to = of.run, int(unit.value)
    return checker.folded(node, INT, lambda frame: whole(round_half_up(run(frame), to)), of, unit)


def _extreme(checker: Checker, node: tree.Call, arguments: tuple[tree.Node, ...]) -> Checked:
    if len(arguments) < 2:
        return checker.fault(Reason.TYPE, node, f"{node.name} takes two numbers or more.")
    parts = [checker.check(argument) for argument in arguments]
    for part in parts:
        if part.faulty or part.type != parts[0].type or part.type not in (INT, TIME, DURATION):
            return checker.mistyped(part, f"{node.name} takes numbers, or times; {checker.said(part)} is {part.type.kind}.")
    runs, choose = [part.run for part in parts], min if node.name == "min" else max
    return checker.folded(node, parts[0].type, lambda frame: choose(run(frame) for run in runs), *parts)


def _size(checker: Checker, node: tree.Call, arguments: tuple[tree.Node, ...]) -> Checked:
    if len(arguments) != 1:
        checker.fault(Reason.TYPE, node, f"size takes one argument; here are {len(arguments)}.")
        return Checked(node, FAULTY, nothing)
    of = checker.check(arguments[0])
    run = of.run
    if of.type == DYNAMIC:
        return Checked(node, INT, lambda frame: _dynamic_size(frame, run(frame)))
    if of.type.kind is Kind.STRUCT:
        return Checked(node, INT, lambda frame: len(run(frame).fields))
    if of.type.kind not in (Kind.TEXT, Kind.LIST, Kind.MAP):
        return checker.mistyped(of, f"size takes a text, a list or a map; {checker.said(of)} is {of.type.kind}.")
    return checker.folded(node, INT, lambda frame: len(run(frame)), of)


def _dynamic_size(frame: Frame, value: Any) -> int:
    return len(value) if isinstance(value, str) else len(entries(frame[0], value))


def _method(checker: Checker, node: tree.Call, of: tree.Node) -> Checked:
    if node.name == "size":
        if node.arguments:
            return checker.fault(Reason.TYPE, node, "size() takes no argument behind a value.")
        return _size(checker, node, (of,))
    if node.name in _PARTS_OF_TIME:
        return _part_of_time(checker, node, of)
    if not _count(checker, node, 1):
        return Checked(node, FAULTY, nothing)
    left, right = checker.check(of), checker.check(node.arguments[0])
    for part in (left, right):
        if part.type not in (TEXT, DYNAMIC):
            return checker.mistyped(part, f"{node.name} takes texts; {checker.said(part)} is {part.type.kind}.")
    return checker.folded(node, BOOL, _test(node.name, _text(left), _text(right)), left, right)


def _text(part: Checked) -> Step:
    run = part.run
    return run if part.type == TEXT else lambda frame: text(run(frame))


def _test(name: str, left: Step, right: Step) -> Step:
    if name == "startsWith":
        return lambda frame: left(frame).startswith(right(frame))
    if name == "endsWith":
        return lambda frame: left(frame).endswith(right(frame))
    return lambda frame: contains(frame[0], left(frame), right(frame))


def _part_of_time(checker: Checker, node: tree.Call, of: tree.Node) -> Checked:
    if not _count(checker, node, 0):
        return Checked(node, FAULTY, nothing)
    at = checker.check(of)
    if at.type != TIME:
        return checker.mistyped(at, f"{node.name} takes a time; {checker.said(at)} is {at.type.kind}.")
    run, part = at.run, _PARTS_OF_TIME[node.name]
    return checker.folded(node, INT, lambda frame: part(_EPOCH + timedelta(seconds=run(frame) // SECOND)), at)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _own(checker: Checker, node: tree.Call) -> Checked:
    function = checker.functions.get(node.name)
    if function is None:
        there = named((*FUNCTIONS, *checker.functions))
        return checker.fault(Reason.UNKNOWN_NAME, node, f"There is no function {node.name}; there are {there}.")
    if not _count(checker, node, len(function.parameters)):
        return Checked(node, FAULTY, nothing)
    parts = [checker.check(argument) for argument in node.arguments]
    for part, wanted in zip(parts, function.parameters, strict=True):
        if part.type != wanted:
            return checker.mistyped(part, f"{node.name} takes {wanted.kind} here; {checker.said(part)} is {part.type.kind}.")
        if function.literal and not part.constant:
            return checker.fault(Reason.TYPE, part.node, f"{node.name} takes a constant.")
    runs, call = [part.run for part in parts], function.bound
    return Checked(node, function.result, lambda frame: call(frame[0].bindings, *(run(frame) for run in runs)))
