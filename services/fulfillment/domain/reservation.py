"""What an attempt to submit holds, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.fulfillment.domain.sourcing.model import Assignment, Line, Strategy


class ReservationState(StrEnum):
    """Values of waybill.fulfillment.v1.ReservationState. RESERVED ends in one of the others, for ever."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"


class Freeze(StrEnum):
    """How far the buyer's cancel of an order has come whose confirm may still be on its way."""

    NONE = ""
    FROZEN = "FROZEN"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of one attempt of one order, with the demand as it was sourced."""

    order_key: str
    attempt: int
    state: ReservationState
    freeze: Freeze
    strategy: Strategy
    lines: tuple[Line, ...]
    assignments: tuple[Assignment, ...]
    check_time: datetime | None
    held: bool = False
    """Whether the order is on hold: what is still to be created begins held."""
    order_xp: Mapping[str, Any] = field(default_factory=dict)
    """The buyer order's xp when it was confirmed: what its supplier orders start with."""
