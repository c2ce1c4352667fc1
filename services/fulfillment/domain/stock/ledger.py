"""The stock ledger: what happens to units becomes movements, and counters are sums of movements."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.fulfillment.domain.sourcing.model import Assignment


class MovementKind(StrEnum):
    """Values of waybill.fulfillment.v1.StockMovementKind without the prefix."""

    RECEIVE = "RECEIVE"
    ADJUST = "ADJUST"
    RESERVE = "RESERVE"
    RELEASE = "RELEASE"
    ALLOCATE = "ALLOCATE"
    DEALLOCATE = "DEALLOCATE"
    SHIP = "SHIP"
    RETURN = "RETURN"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why units move: the order, the attempt, the shipment or the user behind it."""

    order_key: str = ""
    attempt: int = 0
    shipment_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry of the ledger, with its signed effect on the record's three counters."""

    record_key: uuid.UUID
    kind: MovementKind
    on_hand: int = 0
    reserved: int = 0
    allocated: int = 0
    line_item_id: str = ""
    cause: Cause = Cause()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Sum of movements on one record."""

    on_hand: int = 0
    reserved: int = 0
    allocated: int = 0


def summed_by_record(movements: Iterable[Movement]) -> Mapping[uuid.UUID, Effect]:
    """Movements summed by record, in the order of the keys: the order in which records are locked."""
    sums: dict[uuid.UUID, list[int]] = {}
    for m in movements:
        three = sums.setdefault(m.record_key, [0, 0, 0])
        three[0] += m.on_hand
        three[1] += m.reserved
        three[2] += m.allocated
    return {key: Effect(*sums[key]) for key in sorted(sums)}


def reserving(assignments: Sequence[Assignment], cause: Cause) -> list[Movement]:
    """An attempt holds units."""
    return [
        Movement(a.record_key, MovementKind.RESERVE, reserved=a.quantity, line_item_id=a.line_item_id, cause=cause)
        for a in assignments
        if a.record_key is not None
    ]


def releasing(assignments: Sequence[Assignment], cause: Cause) -> list[Movement]:
    """An attempt gives its units back."""
    return [
        Movement(a.record_key, MovementKind.RELEASE, reserved=-a.quantity, line_item_id=a.line_item_id, cause=cause)
        for a in assignments
        if a.record_key is not None
    ]


def allocating(record_key: uuid.UUID, units: int, line_item_id: str, cause: Cause, held: bool) -> Movement:
    """Units are promised to an order; `held` when its attempt had them reserved."""
    return Movement(
        record_key, MovementKind.ALLOCATE, reserved=-units if held else 0, allocated=units, line_item_id=line_item_id, cause=cause
    )


def deallocating(record_key: uuid.UUID, units: int, line_item_id: str, cause: Cause) -> Movement:
    """Promised units are free again."""
    return Movement(record_key, MovementKind.DEALLOCATE, allocated=-units, line_item_id=line_item_id, cause=cause)


def shipping(record_key: uuid.UUID, units: int, line_item_id: str, cause: Cause) -> Movement:
    """Promised units leave."""
    return Movement(record_key, MovementKind.SHIP, on_hand=-units, allocated=-units, line_item_id=line_item_id, cause=cause)
