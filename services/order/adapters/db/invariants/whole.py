"""One buyer order and all that was stored of it, as the inspection looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.order.application.records import Attempt
from services.order.domain.approval.case import Case
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import CanceledAmounts, Event, Line, Order
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder


@dataclass(slots=True)
class Whole:
    """One buyer order and all that was stored of it."""

    order: Order
    lines: list[Line] = field(default_factory=list)
    worksheet: Worksheet | None = None
    attempts: list[Attempt] = field(default_factory=list)
    """By number."""
    cancel_decided: bool = False
    cancel: Any = None
    """Its row, decided or not."""
    held: bool = False
    """As its row says."""
    canceled_total: int = 0
    """As its row says."""
    captured: int | None = None
    """What its payments are to have taken of what has shipped; None for an order without a row of that."""
    changed: CanceledAmounts | None = None
    """What its last accepted change has canceled."""
    cases: list[Case] = field(default_factory=list)
    """Its rounds of approvals, by number."""
    reports: list[Any] = field(default_factory=list)
    """Rows of its supplier orders."""
    documents: list[SupplierOrder] = field(default_factory=list)
    """What these rows were made of, in their order."""
    events: dict[int, Event] = field(default_factory=dict)
    """The first, the newest, and those that bear witness of a part, by sequence."""

    @property
    def newest(self) -> Attempt | None:
        """The last attempt to submit it."""
        return self.attempts[-1] if self.attempts else None

    def event(self, type: str) -> list[Event]:
        """Events of a type, of those that are kept here."""
        return [event for _, event in sorted(self.events.items()) if event.type == type]

    @property
    def submit_sequence(self) -> int:
        """The number of the event by which it was submitted; beyond all of them when none does."""
        return next((event.sequence for event in self._opened), self.order.version + 1)

    @property
    def submit_time(self) -> datetime | None:
        """When the order was submitted, as its history says."""
        return next((event.time for event in self._opened), None)

    @property
    def _opened(self) -> list[Event]:
        return [*self.event("order_submitted"), *self.event("order_approved")]
