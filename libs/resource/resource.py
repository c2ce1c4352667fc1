"""A resource: its table, its message, and the way between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from libs import protoconv
from libs.db import UtcTime
from libs.errors import Violations
from libs.query import Field, Listing
from libs.resource.attributes import Attribute

Check = Callable[[Violations, str, Mapping[str, Any]], None]
"""Rules between several attributes: (violations, field path, values)."""


def resource_table(metadata: sa.MetaData, name: str, attributes: Iterable[Attribute], *more: Any) -> sa.Table:
    """The table of a resource: public id, the attributes, version and times, and what else it needs."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(100), primary_key=True),
        *(a.column() for a in attributes),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcTime(), nullable=False, index=True),
        sa.Column("update_time", UtcTime(), nullable=False),
        *more,
    )


class Resource:
    """One kind of resource. `name` is its word in errors, `prefix` begins generated ids."""

    def __init__(
        self,
        name: str,
        message: Callable[..., Any],
        table: sa.Table,
        attributes: Sequence[Attribute],
        *,
        prefix: str,
        check: Check | None = None,
        extra: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
        fields: Mapping[str, Field] | None = None,
    ) -> None:
        self.name = name
        self.table = table
        self.prefix = prefix
        self.attributes = {a.name: a for a in attributes}
        self._message = message
        self._check = check
        self._extra = extra
        filterable = {a.name: Field(table.c[a.name], a.kind) for a in attributes if a.kind}
        for name_, kind in (("id", "text"), ("create_time", "time"), ("update_time", "time")):
            filterable[name_] = Field(table.c[name_], kind)
        filterable.update(fields or {})
        self.listing = Listing(filterable, table.c.id, xp=table.c.xp if "xp" in table.c else None)

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
                found.add(f"{where}.{path}", "FIELD_INVALID", "cannot be changed")
            changed[path] = value
        if self._check is not None:
            self._check(found, where, {**row, **changed})
        return changed

    def write(self, row: Any) -> Any:
        """The message of a row."""
        values = dict(row)
        made = self._message(id=values["id"])
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
