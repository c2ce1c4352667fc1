"""How much memory a message would take, worked out from its bytes before it is parsed.

An empty sub-message is two bytes on the wire and a hundred times as many once it is parsed. The scan follows the contract's own
description, so that a text is never taken for a message.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor

MAX_ELEMENTS = 100_000
"""Sub-messages and items of repeated fields, all levels together; the largest order that is taken has far fewer."""
MAX_FIELDS = 500_000
"""Fields of any kind: what a scan looks at."""
SMALL = 2 * MAX_ELEMENTS
"""An element has at least two bytes: a message of fewer than this cannot have too many, and is not scanned."""
_FIXED = {1: 8, 5: 4}


class TooMany(ValueError):
    """The message has more elements than any call needs."""


@cache
def _elements(kind: Descriptor) -> dict[int, Descriptor | None]:
    """By number, the fields that may cost more than their bytes; those that are messages with what is inside."""
    return {f.number: f.message_type for f in kind.fields if f.message_type is not None or f.is_repeated}


def require_few(data: bytes, deserialize: Any) -> None:
    """Raises `TooMany`, and ValueError for bytes that are no message. `deserialize` is the method's own, of a generated class."""
    kind = getattr(getattr(deserialize, "__self__", None), "DESCRIPTOR", None)
    if len(data) < SMALL or not isinstance(kind, Descriptor):
        return
    elements = fields = 0
    stack = [(0, len(data), kind)]
    while stack:
        at, end, kind = stack.pop()
        known = _elements(kind)
        while at < end:
            tag, at = _varint(data, at, end)
            fields += 1
            number, wire = tag >> 3, tag & 7
            start = at
            if wire == 2:
                size, start = _varint(data, at, end)
                at = start + size
            elif wire == 0:
                _, at = _varint(data, at, end)
            elif wire in _FIXED:
                at += _FIXED[wire]
            else:
                raise ValueError("groups are not used")
            if at > end:
                raise ValueError("a field goes beyond its message")
            if number in known:
                elements += 1
                inside = known[number]
                if inside is not None and wire == 2 and at > start:
                    stack.append((start, at, inside))
            if elements > MAX_ELEMENTS or fields > MAX_FIELDS:
                raise TooMany


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number without an end")
