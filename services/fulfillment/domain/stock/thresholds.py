"""The threshold of a record: below it stock is low, and each crossing is an alert."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.fulfillment.domain.stock.ledger import Effect

MAX_THRESHOLD = 1_000_000_000
"""Highest threshold, in units: as many as one record can hold by one count."""


class AlertKind(StrEnum):
    """Values of waybill.fulfillment.v1.StockAlertKind without the prefix."""

    BELOW = "BELOW"
    RECOVERED = "RECOVERED"


@dataclass(frozen=True, slots=True)
class StockAlert:
    """A stored alert, as it is listed."""

    record_id: str
    number: int
    product_id: str
    variant_id: str
    supplier_id: str
    kind: str
    notify_below: int
    available: int
    create_time: datetime


def is_low(available: int, notify_below: int | None) -> bool:
    """Whether stock is low; never without a threshold."""
    return notify_below is not None and available < notify_below


def may_cross(sums: Mapping[uuid.UUID, Effect], watched: Collection[uuid.UUID] | None) -> list[uuid.UUID]:
    """Records of which what is available changes: no other can cross its threshold. `watched`: those that have one, where that
    is known."""
    return [key for key, e in sums.items() if e.on_hand - e.reserved - e.allocated and (watched is None or key in watched)]
