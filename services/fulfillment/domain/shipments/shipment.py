"""Shipments as values. A shipment belongs to no order: it holds units of one supplier for one buyer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Address


@dataclass(frozen=True, slots=True)
class Draw:
    """Units of a shipment item taken from one allocation; without one no stock is promised for them."""

    allocation_key: uuid.UUID | None
    record_key: uuid.UUID | None
    quantity: int


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    """Units of one line of one supplier order."""

    supplier_order_key: uuid.UUID
    supplier_order_id: str
    order_key: str
    order_id: str
    user_id: str
    line_item_id: str
    product_id: str
    quantity: int
    record_id: str
    draws: tuple[Draw, ...]
    variant_id: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """What leaves under one number. Its units count as shipped once it has a ship time."""

    key: uuid.UUID
    id: str
    supplier_id: str
    buyer_id: str
    items: tuple[ShipmentItem, ...]
    create_time: datetime
    update_time: datetime
    carrier: str = ""
    tracking_number: str = ""
    ship_method_id: str = ""
    cost: int | None = None
    currency: str = ""
    ship_from_id: str = ""
    ship_to: Address | None = None
    ship_time: datetime | None = None
    delivery_time: datetime | None = None
    xp: JsonObject = field(default_factory=dict)
    version: int = 1
    supplier_number: str = ""
    void_time: datetime | None = None
    """When all that it holds was canceled, before it left."""
    delete_time: datetime | None = None
    emptied: tuple[ShipmentItem, ...] = ()
    """One item of quantity 0 for every buyer order that it once held units of, and holds none of any more."""
