"""Finds out what the names of an expression mean, whether its types go together, and makes it ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from libs.expr import access, calls, operators, tree, types
from libs.expr.faults import Fault, Place, Reason, RunError, named
from libs.expr.functions import Function
from libs.expr.parts import Checked, Variable, constant, nothing
from libs.expr.run import Run, Step, entry, member
from libs.expr.types import BOOL, DYNAMIC, FAULTY, INT, NULL, TEXT, Kind, Type


@dataclass(slots=True)
class Checker:
    """Checks one expression. What it finds out beside the types is in its lists."""

    text: str
    variables: dict[str, Variable]
    functions: Mapping[str, Function]
    constants: Mapping[str, int]
    line: str | None
    faults: list[Fault] = field(default_factory=list)
    parts: list[Checked] = field(default_factory=list)
    """Conditions that are no `&&`, `||` or `!`, and what they compare, for explanations."""
    reads: set[str] = field(default_factory=set)
    walks: list[Checked] = field(default_factory=list)
    """The lists that are gone through with a condition, each time that they are."""
    sources: list[Checked] = field(default_factory=list)
    """The same, and the lists that are added up."""
    inside: bool = False
    """Whether the part is worked out for each element of a list."""
    slots: int = 0
    once: int = 0
    each: int = 0
    """How many parts are worked out once, and how many for each element."""

    def fault(self, reason: Reason, node: tree.Node, sentence: str, at: int | None = None) -> Checked:
        """Notes what is wrong with a part."""
        self.faults.append(Fault(reason, Place.of(self.text, node.at if at is None else at), sentence))
        return Checked(node, FAULTY, nothing)

    def mistyped(self, found: Checked, sentence: str) -> Checked:
        """Notes that a part is of the wrong type, unless a fault was found in it before."""
        return found if found.faulty else self.fault(Reason.TYPE, found.node, sentence)

    def check(self, node: tree.Node) -> Checked:
        """A part with its type."""
        if self.inside:
            self.each += 1
        else:
            self.once += 1
        checks: dict[type[tree.Node], Callable[[Any], Checked]] = {
            tree.Literal: self._literal,
            tree.Name: self._name,
            tree.Select: self._select,
            tree.Index: self._index,
            tree.Unary: self._unary,
            tree.Binary: self._binary,
            tree.Logic: self._logic,
            tree.Choice: self._choice,
            tree.Listed: self._listed,
            tree.Call: self._call,
        }
        return checks[type(node)](node)

    def folded(self, node: tree.Node, kind: Type, run: Step, *of: Checked) -> Checked:
        """A part made of others: worked out at once where all are constants."""
        if any(part.faulty for part in of):
            return Checked(node, FAULTY, nothing)
        if of and all(part.constant for part in of):
            try:
                return constant(node, kind, run([Run({})]))
            except RunError:
                pass
        return Checked(node, kind, run)

    def _literal(self, node: tree.Literal) -> Checked:
        kinds = {bool: BOOL, int: INT, str: TEXT, type(None): NULL}
        return constant(node, kinds[type(node.value)], node.value)

    def _name(self, node: tree.Name) -> Checked:
        variable = self.variables.get(node.name)
        if variable is None:
            if node.name in self.constants:
                return constant(node, INT, self.constants[node.name])
            there = named(self.variables)
            return self.fault(Reason.UNKNOWN_NAME, node, f"There is no variable {node.name}; there are {there}.")
        self.reads.add(variable.path)
        slot = variable.slot
        roots = frozenset((variable.root,))
        return Checked(node, variable.type, lambda frame: frame[slot], path=variable.path, roots=roots, slot=slot)

    def _select(self, node: tree.Select) -> Checked:
        of = self.check(node.of)
        if of.faulty:
            return of
        path = f"{of.path}.{node.field}" if of.path else ""
        if of.type.kind in (Kind.STRUCT, Kind.DYNAMIC):
            self.reads.add(path)
            run, key = of.run, node.field
            return Checked(node, DYNAMIC, lambda frame: member(frame[0], run(frame), key), path=path, roots=of.roots)
        if of.type.kind is Kind.MAP and of.type.element is not None:
            self.reads.add(path)
            run = access.mapped(of.run, lambda _: node.field, of.type.element)
            return Checked(node, of.type.element, run, path=path, roots=of.roots)
        found = self.field(of, node)
        if isinstance(found, Checked):
            return found
        self.reads.add(path)
        return access.selected(node, of, found, path)

    def field(self, of: Checked, node: tree.Select) -> FieldDescriptor | Checked:
        """The field of a message that a part names, or the fault of it."""
        message = of.type.message
        if of.type.kind is not Kind.MESSAGE or message is None:
            return self.mistyped(of, f"{self.said(of)} is {of.type.kind}: it has no fields.")
        found = message.fields_by_name.get(node.field)
        at = node.end - len(node.field)
        if found is None:
            there = named(item.name for item in message.fields)
            return self.fault(Reason.UNKNOWN_NAME, node, f"{self.said(of)} has no field {node.field}; it has {there}.", at)
        if types.of_field(found) is None:
            return self.fault(Reason.TYPE, node, f"{node.field} is of a type that expressions do not read.", at)
        return found

    def said(self, part: Checked) -> str:
        """A part as it is written."""
        return self.text[part.node.at : part.node.end]

    def _index(self, node: tree.Index) -> Checked:
        of, key = self.check(node.of), self.check(node.key)
        if of.faulty or key.faulty:
            return of if of.faulty else key
        if key.type.kind not in (Kind.INT, Kind.TEXT):
            return self.mistyped(key, "In brackets stands a number, or the key of a map.")
        path = f"{of.path}.{key.value}" if of.path and key.constant and key.type == TEXT else of.path
        self.reads.add(path)
        run, at, element = of.run, key.run, of.type.element
        if of.type.kind in (Kind.STRUCT, Kind.DYNAMIC) and key.type == TEXT:
            return Checked(node, DYNAMIC, lambda frame: member(frame[0], run(frame), at(frame)), path=path, roots=of.roots)
        if of.type.kind is Kind.DYNAMIC:
            return Checked(node, DYNAMIC, lambda frame: entry(frame[0], run(frame), at(frame)), path=path, roots=of.roots)
        if of.type.kind is Kind.MAP and key.type == TEXT and element:
            return Checked(node, element, access.mapped(run, at, element), path=path, roots=of.roots)
        if of.type.kind is Kind.LIST and key.type == INT and element:
            return Checked(node, element, access.indexed(run, at, element), path=path, roots=of.roots)
        return self.mistyped(of, f"{self.said(of)} is {of.type.kind}: it has nothing under {key.type.kind}.")

    def _unary(self, node: tree.Unary) -> Checked:
        of = self.condition(node.of) if node.operator == "!" else self.check(node.of)
        wanted, run = (BOOL, operators.inverted) if node.operator == "!" else (INT, operators.negated)
        if of.type != wanted:
            return self.mistyped(of, f"{node.operator} stands before {wanted.kind}; {self.said(of)} is {of.type.kind}.")
        return self.folded(node, wanted, run(of.run), of)

    def _logic(self, node: tree.Logic) -> Checked:
        parts = [self.condition(part) for part in node.parts]
        return self.folded(node, BOOL, operators.either([part.run for part in parts], node.operator == "||"), *parts)

    def condition(self, node: tree.Node) -> Checked:
        """A part that must be a condition."""
        part = self.check(node)
        if part.type == BOOL:
            return self.part(part)
        hint = ": compare it, for example with == true" if part.type == DYNAMIC else ""
        return self.mistyped(part, f"{self.said(part)} is {part.type.kind}, where a condition is needed{hint}.")

    def part(self, part: Checked) -> Checked:
        """Remembers a part for explanations."""
        if not self.inside and not part.constant and not isinstance(part.node, tree.Logic | tree.Choice | tree.Unary):
            self.parts.append(part)
        return part

    def _choice(self, node: tree.Choice) -> Checked:
        test, yes, no = self.condition(node.test), self.check(node.yes), self.check(node.no)
        if yes.faulty or no.faulty or test.faulty:
            return Checked(node, FAULTY, nothing)
        if yes.type != no.type or yes.type.kind not in (*types.SCALARS, Kind.DYNAMIC):
            return self.mistyped(no, f"Behind ? and : stand values of one type; here are {yes.type.kind} and {no.type.kind}.")
        if yes.type == BOOL:
            self.part(yes)
            self.part(no)
        return self.folded(node, yes.type, operators.chosen(test.run, yes.run, no.run), test, yes, no)

    def _binary(self, node: tree.Binary) -> Checked:
        left, right = self.check(node.left), self.check(node.right)
        if left.faulty or right.faulty:
            return left if left.faulty else right
        if node.operator == "in":
            return self._in(node, left, right)
        if node.operator in operators.COMPARISONS:
            return self._comparison(node, left, right)
        found = operators.arithmetic(node.operator, left.type, right.type)
        if found is not None:
            return self.folded(node, found[0], found[1](left.run, right.run), left, right)
        kinds = f"{left.type.kind} and {right.type.kind}"
        if node.operator == "+" and left.type.kind in (Kind.TEXT, Kind.LIST):
            return self.fault(Reason.NOT_ALLOWED, node, "Texts and lists are not put together.")
        if Kind.DYNAMIC in (left.type.kind, right.type.kind):
            return self.fault(Reason.TYPE, node, "What lies in xp is only compared: its numbers are not exact.")
        return self.fault(Reason.TYPE, node, f"{node.operator} stands between numbers; here are {kinds}.")

    def _comparison(self, node: tree.Binary, left: Checked, right: Checked) -> Checked:
        sign = node.operator
        if not operators.comparable(sign, left.type, right.type):
            return self.fault(Reason.TYPE, node, f"{sign} does not compare {left.type.kind} with {right.type.kind}.")
        for side in (left, right):
            self.part(side)
        if DYNAMIC in (left.type, right.type):
            return self.folded(node, BOOL, operators.compared_any(sign, left.run, right.run), left, right)
        if right.constant:
            return self.folded(node, BOOL, operators.compared_with(sign, left.run, right.value), left, right)
        return self.folded(node, BOOL, operators.compared(sign, left.run, right.run), left, right)

    def _listed(self, node: tree.Listed) -> Checked:
        parts = [self.check(entry) for entry in node.entries]
        if any(part.faulty for part in parts):
            return Checked(node, FAULTY, nothing)
        kinds = {part.type for part in parts}
        if len(kinds) != 1 or not kinds <= {BOOL, INT, TEXT}:
            return self.fault(Reason.TYPE, node, "A list that is written out has numbers, or texts, and at least one.")
        runs = [part.run for part in parts]
        kind = Type(Kind.LIST, None, kinds.pop())
        return self.folded(node, kind, lambda frame: tuple(run(frame) for run in runs), *parts)

    def _in(self, node: tree.Binary, left: Checked, right: Checked) -> Checked:
        kind, element = right.type.kind, right.type.element
        if kind in (Kind.MAP, Kind.STRUCT) and left.type == TEXT:
            return self.folded(node, BOOL, access.keyed(left.run, right.run, kind is Kind.STRUCT), left, right)
        if kind is Kind.DYNAMIC and left.type in (BOOL, INT, TEXT, DYNAMIC):
            return self.folded(node, BOOL, access.among(left.run, right, True), left, right)
        if (
            kind is Kind.LIST
            and element in (BOOL, INT, TEXT, DYNAMIC)
            and (left.type == element or (DYNAMIC in (left.type, element) and left.type in (BOOL, INT, TEXT, DYNAMIC)))
        ):
            plain = left.type == element != DYNAMIC
            if plain and right.constant:
                values, run = frozenset(right.value), left.run
                return self.folded(node, BOOL, lambda frame: run(frame) in values, left, right)
            return self.folded(node, BOOL, access.among(left.run, right, not plain), left, right)
        return self.fault(Reason.TYPE, node, f"in does not look for {left.type.kind} in {kind}.")

    def _call(self, node: tree.Call) -> Checked:
        return calls.check(self, node)
