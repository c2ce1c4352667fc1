"""Kinds of attributes: how a field of a message is read and checked, kept, shown and filtered by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from google.protobuf import json_format

from libs import protoconv
from libs.errors import Violations
from waybill.type.v1 import reasons

Read = Callable[[Violations, str, Any, dict[str, Any]], Any]
"""(violations, field path, message, values read so far) -> value to store."""
Write = Callable[[dict[str, Any]], Any]
"""(row) -> value for the message's constructor; None leaves the field unset."""


class Storage(Enum):
    """What a database keeps of an attribute."""

    TEXT = auto()
    WHOLE = auto()
    TRUTH = auto()
    MICROS = auto()
    """An amount of money, in millionths of its currency's unit."""
    INSTANT = auto()
    DOCUMENT = auto()
    """Lists and maps, as JSON."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One field. `kind` is the kind that lists filter by; empty for none. `length` is the most characters of a text."""

    name: str
    storage: Storage
    read: Read
    write: Write
    kind: str = ""
    immutable: bool = False
    nullable: bool = True
    index: bool = False
    length: int = 0


def text(
    name: str, limit: int = 200, *, required: bool = False, immutable: bool = False, index: bool = False, default: str = ""
) -> Attribute:
    """Text for people."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        return protoconv.text_in(found, f"{where}.{name}", getattr(message, name) or default, limit, required)

    return Attribute(
        name=name,
        storage=Storage.TEXT,
        length=limit,
        read=read,
        write=lambda row: row[name],
        kind="text",
        immutable=immutable,
        nullable=False,
        index=index,
    )


def ref(name: str, *, required: bool = False, immutable: bool = False, index: bool = True) -> Attribute:
    """The id of something."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        value: str = getattr(message, name)
        found.check_id(f"{where}.{name}", value, required)
        return value

    return Attribute(
        name=name,
        storage=Storage.TEXT,
        length=100,
        read=read,
        write=lambda row: row[name],
        kind="text",
        immutable=immutable,
        nullable=False,
        index=index,
    )


def refs(name: str, limit: int = 100) -> Attribute:
    """Ids of several things, each once."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        values = list(getattr(message, name))
        found.require(f"{where}.{name}", len(values) <= limit, reasons.TOO_MANY_ITEMS, f"at most {limit}")
        for i, value in enumerate(values[:limit]):
            found.check_id(f"{where}.{name}[{i}]", value)
            found.require(f"{where}.{name}[{i}]", value not in values[:i], reasons.DUPLICATE_ITEM, "stands twice")
        return values

    return Attribute(name, Storage.DOCUMENT, read, lambda row: row[name], nullable=False)


def flag(name: str) -> Attribute:
    """True or false."""
    return Attribute(
        name, Storage.TRUTH, lambda f, w, message, v: getattr(message, name), lambda row: row[name], "bool", nullable=False
    )


def integer(name: str, low: int, high: int, default: int | None = None) -> Attribute:
    """A whole number between two bounds; `default` takes the place of zero."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> int:
        value = int(getattr(message, name))
        if value == 0 and default is not None:
            value = default
        found.require(f"{where}.{name}", low <= value <= high, reasons.VALUE_OUT_OF_RANGE, f"must be {low} to {high}")
        return value

    return Attribute(name, Storage.WHOLE, read, lambda row: row[name], "int", nullable=False)


def decimal(name: str, low: Decimal = Decimal(0), high: Decimal = Decimal(1_000_000)) -> Attribute:
    """An exact number between two bounds, stored as text."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        return f"{protoconv.decimal_in(found, f'{where}.{name}', getattr(message, name), low, high):f}"

    def write(row: dict[str, Any]) -> Any:
        return protoconv.decimal_out(Decimal(row[name])) if row[name] not in ("", "0") else None

    return Attribute(name, Storage.TEXT, read, write, nullable=False, length=40)


def money(name: str, *, required: bool = False, negative: bool = False, finer: bool = False) -> Attribute:
    """An amount in the currency of the resource's `currency` attribute, which must stand before it.

    `finer` is for a price or rate, which may be finer than the currency's minor unit.
    """

    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> int | None:
        if not message.HasField(name):
            found.require(f"{where}.{name}", not required, reasons.FIELD_REQUIRED, "is required")
            return None
        amount, unit = getattr(message, name), values.get("currency", "")
        return protoconv.money_in(found, f"{where}.{name}", amount, unit, negative, finer)

    def write(row: dict[str, Any]) -> Any:
        return None if row[name] is None else protoconv.money_out(row[name], row["currency"])

    return Attribute(name, Storage.MICROS, read, write, "micros")


def currency(name: str = "currency") -> Attribute:
    """An ISO 4217 code that does not change."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        return protoconv.currency_in(found, f"{where}.{name}", getattr(message, name))

    return Attribute(
        name=name,
        storage=Storage.TEXT,
        length=3,
        read=read,
        write=lambda row: row[name],
        kind="text",
        immutable=True,
        nullable=False,
    )


def time(name: str) -> Attribute:
    """An instant, or none."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> Any:
        if not message.HasField(name):
            return None
        return protoconv.time_in(found, f"{where}.{name}", getattr(message, name))

    return Attribute(name, Storage.INSTANT, read, lambda row: protoconv.time_out(row[name]), "time")


def enum(name: str, wrapper: Any, prefix: str) -> Attribute:
    """A value of an enum, stored by its name without the prefix; the zero value is refused."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        number = getattr(message, name)
        if number == 0 or number not in wrapper.values():
            found.add(f"{where}.{name}", reasons.FIELD_REQUIRED, "is required")
            return ""
        return str(wrapper.Name(number)).removeprefix(prefix)

    return Attribute(name, Storage.TEXT, read, lambda row: wrapper.Value(prefix + row[name]), "text", nullable=False, length=40)


def document(name: str, check: Callable[[Violations, str, Any], Any] | None = None) -> Attribute:
    """A message or list of messages, stored as JSON. `check` may note violations; it gets the field's value."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> Any:
        field = message.DESCRIPTOR.fields_by_name[name]
        value = getattr(message, name)
        if field.is_repeated:
            if check is not None:
                check(found, f"{where}.{name}", value)
            return [_as_json(found, f"{where}.{name}[{i}]", item) for i, item in enumerate(value)]
        if not message.HasField(name):
            return None
        if check is not None:
            check(found, f"{where}.{name}", value)
        return _as_json(found, f"{where}.{name}", value)

    return Attribute(name, Storage.DOCUMENT, read, lambda row: row[name])


def _as_json(found: Violations, where: str, message: Any) -> dict[str, Any]:
    """The message as JSON. A time or duration that JSON has no text for is refused."""
    try:
        return json_format.MessageToDict(message, preserving_proto_field_name=True)
    except json_format.SerializeToJsonError:
        found.add(where, reasons.VALUE_OUT_OF_RANGE, "has a time or a duration that is out of range")
        return {}


def xp() -> Attribute:
    """The owner's own data; deep-merged on update."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> dict[str, Any]:
        return protoconv.xp_in(found, f"{where}.xp", message.xp)

    return Attribute("xp", Storage.DOCUMENT, read, lambda row: protoconv.xp_out(row["xp"]), nullable=False)
