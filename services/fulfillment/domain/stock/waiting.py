"""Which of the units promised from a record wait for stock.

The units on hand go to the orders that were submitted first, unit by unit. That is what is shown: who packs decides what leaves.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Held:
    """Units of a record that a supplier order has open, and what is shown of them."""

    allocation_key: uuid.UUID
    supplier_order_key: uuid.UUID
    record_key: uuid.UUID
    units: int
    shown: int = 0
    """How many of them wait, as shown."""
    shown_time: datetime | None = None
    """When more is expected, as shown."""


@dataclass(frozen=True, slots=True)
class Source:
    """A record, as far as units wait for it."""

    on_hand: int
    expected_time: datetime | None
    edition: int
    """Grows with whatever is edited or booked."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What has to be shown of an allocation from now on."""

    units: int
    expected_time: datetime | None


def waiting(on_hand: int, units: Iterable[int]) -> list[int]:
    """How many wait of each of the open numbers of units, which come oldest first."""
    left, found = max(0, on_hand), []
    for wanted in units:
        there = min(left, wanted)
        left -= there
        found.append(wanted - there)
    return found


def by_record(held: Iterable[Held], sources: Mapping[uuid.UUID, Source]) -> dict[uuid.UUID, int]:
    """How many units wait for each record."""
    promised: dict[uuid.UUID, int] = {}
    for h in held:
        promised[h.record_key] = promised.get(h.record_key, 0) + h.units
    return {key: max(0, units - max(0, sources[key].on_hand)) for key, units in promised.items()}


def changed(held: Sequence[Held], sources: Mapping[uuid.UUID, Source]) -> dict[Held, Wait]:
    """Of the open units of these records, which come by record and oldest first, those that have to be shown otherwise."""
    found: dict[Held, Wait] = {}
    for key, rows in groupby(held, lambda h: h.record_key):
        some, source = list(rows), sources[key]
        for h, units in zip(some, waiting(source.on_hand, (h.units for h in some)), strict=True):
            wait = Wait(units, source.expected_time if units else None)
            if (h.shown, h.shown_time) != (wait.units, wait.expected_time):
                found[h] = wait
    return found
