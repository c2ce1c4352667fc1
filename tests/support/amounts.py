"""The amounts that stand in a message, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.type.money_pb2 import Money

MONEY = Money.DESCRIPTOR.full_name
Amount = tuple[str, int, int]
"""Currency, units, nanos."""


def amounts(message: Message) -> Iterator[Amount]:
    """Every amount that is set."""
    if isinstance(message, Money):
        yield message.currency_code, message.units, message.nanos
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                if isinstance(part, Message):
                    yield from amounts(part)


def holds_amounts(message: Descriptor, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an amount can stand anywhere in a message of this kind."""
    if message.full_name == MONEY:
        return True
    deeper = seen | {message.full_name}
    parts = (f.message_type for f in message.fields if f.message_type is not None and f.message_type.full_name not in deeper)
    return any(holds_amounts(part, deeper) for part in parts)


def priced(message: Message) -> Message:
    """The message with one dollar wherever an amount can stand, and one entry in every list that holds amounts."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None or not holds_amounts(field.message_type):
            continue
        part = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
        if field.message_type.full_name == MONEY:
            part.currency_code, part.units = "USD", 1
        else:
            priced(part)
    return message
