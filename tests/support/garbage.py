"""Messages of a contract filled with what nobody would send, and with ids that exist."""

from __future__ import annotations

import contextlib
import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

KNOWN = ("PO1", "PO1-1", "CART", "l1", "l2", "anvil", "lamp", "acme", "ada", "northforge", "gift-ada", "list-anvil", "ground")
KNOWN += ("swift", "shop", "seller", "anvil-northforge", "visa", "USD", "US", "id", "name", "xp")
"""Ids and names that mean something in the demo's marketplace."""
TEXTS = (
    "",
    " ",
    "x" * 101,
    "x" * 3_000,
    "a\x00b",
    "\u202eb",
    "\U0001f600",
    "'; --",
    'id = "x"',
    "xp.a.b = 1 AND (",
    "name DESC, nothing",
    "create_time > 2020-13-45",
    "*",
    "-1",
    "1e400",
    "99999999999999999999",
    "credit_card",
    "spending_account",
)
NUMBERS = (0, 1, 2, 7, 1_000, 1_001, -1, 2**31 - 1, -(2**31), 10**15, 2**63 - 1, -(2**63))
FRACTIONS = (0.0, 1.5, -1.0, 1e308, float("nan"), float("inf"))
DEEPEST = 5


def filled(rng: random.Random, kind: type[Message], depth: int = 0) -> Any:
    """A message with some of its fields set."""
    made = kind()
    for field in made.DESCRIPTOR.fields:
        if rng.random() > (0.75 if depth == 0 else 0.5) or depth == DEEPEST:
            continue
        for _ in range(rng.choice((1, 1, 2, 3)) if field.is_repeated else 1):
            # What does not fit into a field cannot be sent.
            with contextlib.suppress(ValueError, TypeError):
                _put(rng, made, field, depth)
    return made


def _put(rng: random.Random, into: Message, field: Field, depth: int) -> None:
    target = getattr(into, field.name)
    if field.message_type is None:
        value = _scalar(rng, field)
        if field.is_repeated:
            target.append(value)
        else:
            setattr(into, field.name, value)
    elif not field.message_type.GetOptions().map_entry:
        part = filled(rng, GetMessageClass(field.message_type), depth + 1)
        if field.is_repeated:
            target.append(part)
        else:
            target.CopyFrom(part)


def _scalar(rng: random.Random, field: Field) -> Any:
    if field.type == Field.TYPE_STRING:
        return rng.choice(KNOWN) if rng.random() < 0.7 else rng.choice(TEXTS)
    if field.type == Field.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == Field.TYPE_BYTES:
        return rng.choice((b"", b"\x00\xff", b"x" * 100))
    if field.type == Field.TYPE_ENUM:
        return rng.choice([value.number for value in field.enum_type.values] + [77])
    return rng.choice(FRACTIONS if field.type in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT) else NUMBERS)
