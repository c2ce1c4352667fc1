"""The supplier order as values. Amounts are micros (10^-6) of the order's currency."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Address
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of a supplier order line at one location. Without a record their stock is not counted.

    `packed` are on shipments that have not left, `shipped` on those that have; both are part of `quantity`.
    """

    key: uuid.UUID
    record_key: uuid.UUID | None
    record_id: str
    supplier_id: str
    ship_from_id: str
    quantity: int
    packed: int = 0
    shipped: int = 0
    backordered: int = 0
    """Units that waited for stock when that was last looked at, and when more was expected then."""
    expected_time: datetime | None = None

    @property
    def waiting(self) -> int:
        """Units that wait for stock; what has left or was given up meanwhile does not."""
        return min(self.backordered, self.held) if self.backordered else 0

    @property
    def unpacked(self) -> int:
        """Units on no shipment."""
        return self.quantity - self.packed - self.shipped

    @property
    def held(self) -> int:
        """Units that the stock still holds for the line."""
        return self.quantity - self.shipped


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What the buyer has chosen of one spec of the product: an option or a text."""

    spec_id: str
    name: str
    option_id: str = ""
    option_name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of a supplier order: units of one line of the buyer's order."""

    line_item_id: str
    position: int
    product_id: str
    product_name: str
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax: int
    shippable: bool
    packed: int = 0
    shipped: int = 0
    canceled: int = 0
    allocations: tuple[Allocation, ...] = ()
    shipping_address: Address | None = None
    pickup_location_id: str = ""
    xp: JsonObject = field(default_factory=dict)
    variant_id: str = ""
    cost_center: str = ""
    shipping_account: str = ""
    comments: str = ""
    date_needed: datetime | None = None
    specs: tuple[LineSpec, ...] = ()
    included_tax: int = 0
    """What of subtotal less discount is tax that the price includes."""
    unit_cost: int | None = None
    """What the supplier is paid for one unit; None when that is not known."""

    @property
    def open(self) -> int:
        """Units neither shipped nor canceled."""
        return self.quantity - self.shipped - self.canceled

    @property
    def unpacked(self) -> int:
        """Open units on no shipment."""
        return self.open - self.packed

    @property
    def delivered(self) -> int:
        """Units that were delivered without a shipment: those that left the stock of a line that needs none."""
        return 0 if self.shippable else sum(a.shipped for a in self.allocations)

    @property
    def packable(self) -> int:
        """Units that can be put on a shipment.

        Of a line that needs none they are those without stock: the others are delivered as soon as they are there.
        """
        return self.unpacked if self.shippable else self.unpacked - sum(a.unpacked for a in self.allocations)

    @property
    def unallocated(self) -> int:
        """Open units that no stock is promised for."""
        return self.open - sum(a.held for a in self.allocations)

    @property
    def waiting(self) -> int:
        """Open units that wait for stock."""
        return sum(a.waiting for a in self.allocations)

    @property
    def expected_time(self) -> datetime | None:
        """When the last of those is expected; None when that is not known of all of them."""
        times = [a.expected_time for a in self.allocations if a.waiting]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None


@dataclass(frozen=True, slots=True)
class SelectionItem:
    """A quantity of a line in a ship estimate, and the supplier that it was estimated from."""

    line_item_id: str
    quantity: int
    supplier_id: str


@dataclass(frozen=True, slots=True)
class ShipSelection:
    """The method that the buyer chose for one estimate, or the part of it that one supplier order carries."""

    ship_estimate_id: str
    ship_method_id: str
    ship_method_name: str
    carrier_id: str
    cost: int
    tax: int
    pickup: bool
    items: tuple[SelectionItem, ...]
    included_tax: int = 0
    """What of the cost is tax that it includes."""


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """What one supplier fulfills of one buyer order. `supplier_id` is empty for the seller itself."""

    key: uuid.UUID
    id: str
    number: int
    order_key: str
    order_id: str
    supplier_id: str
    status: SupplierOrderStatus
    implicit: bool
    buyer_id: str
    user_id: str
    client_id: str
    currency: str
    lines: tuple[OrderLine, ...]
    subtotal: int
    discount: int
    shipping_cost: int
    tax: int
    selections: tuple[ShipSelection, ...]
    create_time: datetime
    update_time: datetime
    shipping_address: Address | None = None
    billing_address: Address | None = None
    comments: str = ""
    xp: JsonObject = field(default_factory=dict)
    version: int = 1
    moved: bool = False
    former_status: SupplierOrderStatus | None = None
    held: bool = False
    """Whether the buyer order is on hold: nothing more is packed or leaves."""
    accept_time: datetime | None = None
    reject_time: datetime | None = None
    complete_time: datetime | None = None
    cancel_time: datetime | None = None
    reject_comment: str = ""
    accept_by: datetime | None = None
    """Until when its supplier has time to answer; None for without a limit."""
    unclaimed: bool = False
    """Whether no supplier took some of the units that the seller was given; until the seller accepts it."""

    @property
    def total(self) -> int:
        """Subtotal less discount plus shipping cost plus tax."""
        return self.subtotal - self.discount + self.shipping_cost + self.tax

    @property
    def included_tax(self) -> int:
        """What of lines and shipping is tax that they include."""
        return sum(line.included_tax for line in self.lines) + sum(s.included_tax for s in self.selections)

    def has_left(self) -> bool:
        """Whether a unit is on a shipment, left or being packed. What was delivered without one does not count."""
        return any(line.packed or line.shipped > line.delivered for line in self.lines)

    def line(self, line_item_id: str) -> OrderLine | None:
        """Its line of that id."""
        return next((line for line in self.lines if line.line_item_id == line_item_id), None)


def by_id(orders: Iterable[SupplierOrder]) -> list[SupplierOrder]:
    """In the order of their numbers."""
    return sorted(orders, key=lambda order: order.number)


def next_number(orders: Sequence[SupplierOrder]) -> int:
    """The n of the next `{order}-{n}`."""
    return max((order.number for order in orders), default=0) + 1
