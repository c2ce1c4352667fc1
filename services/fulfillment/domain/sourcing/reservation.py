"""What an attempt to submit or to change an order holds, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Assignment, Costs, Line, Ranking, Strategy


class ReservationState(StrEnum):
    """Values of waybill.fulfillment.v1.ReservationState. RESERVED ends in one of the others, for ever."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"


class Kind(StrEnum):
    """What an attempt is for: its first hold on stock, or a change of an order that holds it already."""

    SUBMIT = "SUBMIT"
    CHANGE = "CHANGE"


class Freeze(StrEnum):
    """How far the buyer's cancel of an order has come whose confirm may still be on its way."""

    NONE = ""
    FROZEN = "FROZEN"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of one attempt of one order, with the demand as it was sourced.

    That of a change has no demand: what it holds is the order's open units, which are frozen while it is RESERVED.
    """

    order_key: str
    attempt: int
    state: ReservationState
    freeze: Freeze
    ranking: Ranking
    lines: tuple[Line, ...]
    assignments: tuple[Assignment, ...]
    check_time: datetime | None
    held: bool = False
    """Whether the order is on hold: what is still to be created begins held."""
    order_xp: JsonObject = field(default_factory=dict)
    """The buyer order's xp when it was confirmed: what its supplier orders start with."""
    kind: Kind = Kind.SUBMIT
    accept_within: timedelta | None = None
    """How long each supplier has to answer, once it is confirmed; None for without a limit."""
    costs: Costs = field(default_factory=dict)
    """What suppliers are paid for units of the order as it was confirmed: also those that get units later."""


def change(order_key: str, attempt: int, state: ReservationState, check_time: datetime | None) -> Reservation:
    """That of a change."""
    return Reservation(
        order_key=order_key,
        attempt=attempt,
        state=state,
        freeze=Freeze.NONE,
        ranking=Strategy.DEFAULT_SUPPLIER,
        lines=(),
        assignments=(),
        check_time=check_time,
        kind=Kind.CHANGE,
    )
