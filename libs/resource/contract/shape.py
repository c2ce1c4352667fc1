"""What a resource is: its message, its attributes, and the way between messages and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from libs import protoconv
from libs.errors import Violations
from libs.resource.contract.attributes import Attribute
from waybill.type.v1 import reasons

Check = Callable[[Violations, str, Mapping[str, Any]], None]
"""Rules between several attributes: (violations, field path, values)."""


class Shape:
    """One kind of resource. `name` is its word in errors, `prefix` begins generated ids."""

    def __init__(
        self,
        name: str,
        message: Callable[..., Any],
        attributes: Sequence[Attribute],
        *,
        prefix: str,
        check: Check | None = None,
        extra: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.name = name
        self.prefix = prefix
        self.attributes = {a.name: a for a in attributes}
        self.message = message
        self._check = check
        self._extra = extra

    def read(self, found: Violations, where: str, message: Any) -> dict[str, Any]:
        """The values of a message, checked."""
        found.check_id(f"{where}.id", message.id, required=False)
        values: dict[str, Any] = {}
        for attribute in self.attributes.values():
            values[attribute.name] = attribute.read(found, where, message, values)
        if self._check is not None:
            self._check(found, where, values)
        return values

    def read_some(self, found: Violations, where: str, message: Any, row: Any, paths: Sequence[str]) -> dict[str, Any]:
        """The changed values of an update; rules see the row as it would become."""
        changed: dict[str, Any] = {}
        for path in paths:
            attribute = self.attributes[path]
            value = attribute.read(found, where, message, dict(row))
            if path == "xp":
                value = protoconv.merge_xp(row["xp"], value)
                protoconv.xp_size_ok(found, f"{where}.xp", value)
            if attribute.immutable and value != row[path]:
                found.add(f"{where}.{path}", reasons.FIELD_INVALID, "cannot be changed")
            changed[path] = value
        if self._check is not None:
            self._check(found, where, {**row, **changed})
        return changed

    def write(self, row: Any) -> Any:
        """The message of a row."""
        values = dict(row)
        made = self.message(id=values["id"])
        for attribute in self.attributes.values():
            _put(made, attribute.name, attribute.write(values))
        if hasattr(made, "etag"):
            made.etag = str(values["version"])
        for name in ("create_time", "update_time"):
            if name in made.DESCRIPTOR.fields_by_name:
                getattr(made, name).FromDatetime(values[name])
        if self._extra is not None:
            for name, value in self._extra(values).items():
                _put(made, name, value)
        return made


def _put(message: Message, name: str, value: Any) -> None:
    """Sets a field, whatever its shape; None leaves it unset, dictionaries become messages."""
    if value is None:
        return
    field = message.DESCRIPTOR.fields_by_name[name]
    target = getattr(message, name)
    if field.is_repeated:
        for item in value:
            if field.type == FieldDescriptor.TYPE_MESSAGE and isinstance(item, dict):
                json_format.ParseDict(item, target.add())
            else:
                target.append(item)
    elif isinstance(value, dict):
        target.SetInParent()
        json_format.ParseDict(value, target)
    elif isinstance(value, Message):
        target.CopyFrom(value)
    else:
        setattr(message, name, value)
