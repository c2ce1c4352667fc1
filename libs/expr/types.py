"""The types of an expression, and how values of messages become values of an expression.

| type | value in a run | from a field of type |
|---|---|---|
| BOOL | bool | bool |
| INT | int of 64 bits | int32, int64, uint32, an enum's number, google.type.Money as micros |
| TEXT | str | string |
| TIME | int, nanoseconds since 1970 | google.protobuf.Timestamp |
| DURATION | int, nanoseconds | google.protobuf.Duration |
| MESSAGE | the message | any other message |
| LIST | a sequence of values | repeated |
| MAP | the container, by texts | map with texts as keys |
| STRUCT | the message | google.protobuf.Struct |
| DYNAMIC | float, str, bool, None, a Struct or a ListValue | google.protobuf.Value, and whatever lies in a Struct |

Fields of other types (bytes, double, float, uint64) cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from libs.expr.integers import whole
from libs.protoconv import money_micros


class Kind(StrEnum):
    """What sort of value it is; the words of sentences about it."""

    BOOL = "a condition"
    INT = "a number"
    TEXT = "a text"
    TIME = "a time"
    DURATION = "a duration"
    NULL = "null"
    DYNAMIC = "a value of any type"
    MESSAGE = "a message"
    LIST = "a list"
    MAP = "a map"
    STRUCT = "a map of any values"
    FAULTY = "unknown"


@dataclass(frozen=True, slots=True)
class Type:
    """A type; `message` belongs to MESSAGE, `element` to LIST and MAP."""

    kind: Kind
    message: Descriptor | None = None
    element: Type | None = None


BOOL = Type(Kind.BOOL)
INT = Type(Kind.INT)
TEXT = Type(Kind.TEXT)
TIME = Type(Kind.TIME)
DURATION = Type(Kind.DURATION)
NULL = Type(Kind.NULL)
DYNAMIC = Type(Kind.DYNAMIC)
STRUCT = Type(Kind.STRUCT)
FAULTY = Type(Kind.FAULTY)
"""What a fault was found in: nothing more is said of it."""

SCALARS = (Kind.BOOL, Kind.INT, Kind.TEXT, Kind.TIME, Kind.DURATION)
SECOND = 1_000_000_000

_FIELDS = {
    FieldDescriptor.CPPTYPE_BOOL: BOOL,
    FieldDescriptor.CPPTYPE_INT32: INT,
    FieldDescriptor.CPPTYPE_INT64: INT,
    FieldDescriptor.CPPTYPE_UINT32: INT,
    FieldDescriptor.CPPTYPE_ENUM: INT,
    FieldDescriptor.CPPTYPE_STRING: TEXT,
}
_MESSAGES = {
    "google.protobuf.Timestamp": TIME,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.Struct": STRUCT,
    "google.protobuf.Value": DYNAMIC,
    "google.protobuf.ListValue": Type(Kind.LIST, None, DYNAMIC),
    "google.type.Money": INT,
}


def of_message(message: Any) -> Type:
    """The type of a message."""
    return _MESSAGES.get(message.full_name) or Type(Kind.MESSAGE, message)


def of_field(field: FieldDescriptor) -> Type | None:
    """The type of a field; None for one that expressions cannot read."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        key, value = message.fields_by_name["key"], of_field(message.fields_by_name["value"])
        plain = value is not None and _as_it_is(message.fields_by_name["value"])
        return Type(Kind.MAP, None, value) if plain and key.type == FieldDescriptor.TYPE_STRING else None
    single = of_message(message) if message is not None else _FIELDS.get(field.cpp_type)
    if field.type == FieldDescriptor.TYPE_BYTES or single is None:
        return None
    if not field.is_repeated:
        return single
    return Type(Kind.LIST, None, single) if _as_it_is(field) else None


def _as_it_is(field: FieldDescriptor) -> bool:
    """Whether many values of a field can be read one by one: those of no fixed type can, amounts and times are not needed."""
    message = field.message_type
    return message is None or message.full_name not in _READERS or message.full_name == "google.protobuf.Value"


Reader = Callable[[Any], Any]


def nanoseconds(message: Any) -> int:
    """A Timestamp or a Duration as a value of an expression."""
    return int(message.seconds * SECOND + message.nanos)


def dynamic(message: Any) -> Any:
    """A google.protobuf.Value as a value of an expression."""
    kind = message.WhichOneof("kind")
    return None if kind is None or kind == "null_value" else getattr(message, kind)


_READERS: dict[str, Reader] = {
    "google.protobuf.Timestamp": nanoseconds,
    "google.protobuf.Duration": nanoseconds,
    "google.protobuf.Value": dynamic,
    "google.protobuf.ListValue": lambda message: message.values,
    "google.type.Money": lambda message: whole(money_micros(message)),
}


def reader(message: Any) -> Reader | None:
    """What makes a value of an expression of a message; None where it is the message itself, or no message."""
    return _READERS.get(message.full_name) if message is not None else None
