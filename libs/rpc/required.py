"""Required fields, as the contracts mark them: a refusal says which of them the request left empty.

What a field needs is checked where its meaning is known. This module looks at requests that were refused, and only at those: a
request without the id of an order is not answered with "no such order", and a list without an entry not with its bounds. Numbers
are left out: a required number that is zero is out of its range, and is refused as that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from libs.errors import FieldViolation, Kind, Violations, WaybillError
from waybill.type.v1 import reasons

REASON = reasons.FIELD_REQUIRED
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?\Z")
_NUMBERS = frozenset({FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_BOOL})


def behaviors(field: FieldDescriptor) -> frozenset[str]:
    """Names of the behaviors that the contract gives a field, such as REQUIRED."""
    values = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return frozenset(field_behavior_pb2.FieldBehavior.Name(value) for value in values)


@cache
def _required(kind: Descriptor) -> dict[str, FieldDescriptor]:
    """The required fields of a message that can be seen to be empty, by name."""
    return {f.name: f for f in kind.fields if "REQUIRED" in behaviors(f) and (f.is_repeated or f.cpp_type not in _NUMBERS)}


def _empty(message: Any, field: FieldDescriptor) -> bool:
    return not message.HasField(field.name) if field.has_presence else not getattr(message, field.name)


def lacking(request: Any) -> list[str]:
    """Names of the required fields that a request itself leaves empty; not of those inside its messages."""
    return [name for name, field in _required(request.DESCRIPTOR).items() if _empty(request, field)]


def explained(error: WaybillError, request: Any) -> WaybillError:
    """The refusal of a request, in which every required field that is empty is named as FIELD_REQUIRED.

    A request that lacks one finds nothing: then that is the reason, and not what was not found. Other refusals stay as they are.
    """
    if error.kind is Kind.MISSING:
        missed = _violations(lacking(request))
    elif error.kind is Kind.INVALID and error.fields:
        named = [_renamed(violation, request) for violation in error.fields]
        missed = [v for v in _violations(lacking(request)) if not any(_covers(n, v.field) for n in named)]
        if not missed and named == list(error.fields):
            return error
        missed += named
    else:
        return error
    if not missed:
        return error
    found = Violations()
    found.items = list(dict.fromkeys(missed))
    return found.error()


def _violations(names: list[str]) -> list[FieldViolation]:
    return [FieldViolation(name, REASON, "is required") for name in names]


def _covers(violation: FieldViolation, field: str) -> bool:
    """Whether a violation says already that a field, or something in it, is required."""
    path = violation.field
    return violation.reason == REASON and (path == field or path.startswith((f"{field}.", f"{field}[")))


def _renamed(violation: FieldViolation, request: Any) -> FieldViolation:
    """The violation; as FIELD_REQUIRED when what it names is required and empty."""
    if violation.reason == REASON or _kept(request, violation.field) or not _lacks(request, violation.field):
        return violation
    return FieldViolation(violation.field, REASON, "is required")


def _kept(request: Any, path: str) -> bool:
    """Whether a path leads to a field that an update does not change: what is wrong with it is wrong with what is stored."""
    inner = [name for name, _ in _steps(path)][1:]
    return bool(inner) and "update_mask" in request.DESCRIPTOR.fields_by_name and inner[0] not in request.update_mask.paths


def _lacks(message: Any, path: str) -> bool:
    """Whether a path leads to a required field that is empty."""
    steps = list(_steps(path))
    for i, (name, index) in enumerate(steps):
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            return False
        if i == len(steps) - 1:
            return index is None and name in _required(message.DESCRIPTOR) and _empty(message, field)
        message = getattr(message, name)
        if index is not None:
            if not field.is_repeated or index >= len(message):
                return False
            message = message[index]
        if not hasattr(message, "DESCRIPTOR"):
            return False
    return False


def _steps(path: str) -> Iterator[tuple[str, int | None]]:
    """The parts of a path such as `items[0].quantity`; nothing for one that is none."""
    for part in path.split("."):
        step = _STEP.match(part)
        if step is None:
            return
        yield step[1], None if step[2] is None else int(step[2])
