"""The inventory record as its owner sees it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.backorder import allowed
from services.fulfillment.domain.sourcing.model import Address
from services.fulfillment.domain.stock.ledger import MovementKind


@dataclass(frozen=True, slots=True)
class InventoryRecord:
    """Stock of one product, or of one variant of it, at one location of one supplier (the empty id is the seller)."""

    key: uuid.UUID
    id: str
    product_id: str
    supplier_id: str
    location_id: str
    create_time: datetime
    update_time: datetime
    address: Address | None = None
    on_hand: int = 0
    reserved: int = 0
    allocated: int = 0
    can_exceed: bool = False
    priority: int = 0
    active: bool = True
    pickup: bool = False
    xp: JsonObject = field(default_factory=dict)
    version: int = 1
    variant_id: str = ""
    notify_below: int | None = None
    low_stock: bool = False
    """Whether fewer are available than `notify_below`, as the counters say."""
    buyer_ids: tuple[str, ...] = ()
    user_group_ids: tuple[str, ...] = ()
    """Whom it is for; open to all without any."""
    backorder_limit: int | None = None
    expected_time: datetime | None = None

    @property
    def excess(self) -> int | None:
        """Units that may be sold beyond the stock in all; None for any number."""
        return allowed(self.can_exceed, self.backorder_limit)

    @property
    def available(self) -> int:
        """Units that may still be promised; negative during a shortage."""
        return self.on_hand - self.reserved - self.allocated


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A receipt or a count of one record; exactly one of `change` and `count` is set."""

    record_id: str
    kind: MovementKind
    change: int | None
    count: int | None
    note: str

    def change_from(self, on_hand: int) -> int:
        """By how much the units on hand change."""
        if self.count is not None:
            return self.count - on_hand
        return self.change or 0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A stored movement, as it is listed."""

    key: uuid.UUID
    record_id: str
    product_id: str
    kind: str
    on_hand: int
    reserved: int
    allocated: int
    order_key: str
    attempt: int
    line_item_id: str
    shipment_id: str
    user_id: str
    note: str
    create_time: datetime
    variant_id: str = ""
