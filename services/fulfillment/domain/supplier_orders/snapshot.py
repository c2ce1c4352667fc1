"""The buyer order as it was decided: what supplier orders are made of. Amounts are micros of its currency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Address, Assignment, Costs
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import (
    Allocation,
    LineSpec,
    OrderLine,
    ShipSelection,
    SupplierOrder,
)


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """A line of the buyer order."""

    line_item_id: str
    product_id: str
    product_name: str
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax: int
    shippable: bool
    default_supplier_id: str = ""
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


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """Header, lines and chosen shipping; shipping cost and tax are those of the whole order."""

    order_key: str
    order_id: str
    buyer_id: str
    user_id: str
    client_id: str
    currency: str
    lines: tuple[SnapshotLine, ...]
    shipping: tuple[ShipSelection, ...]
    shipping_cost: int
    tax: int
    shipping_address: Address | None = None
    billing_address: Address | None = None
    comments: str = ""
    xp: JsonObject = field(default_factory=dict)
    costs: Costs = field(default_factory=dict)


def whole_order(
    order: OrderSnapshot, assignments: Sequence[Assignment], new_key: Callable[[], UUID], now: datetime
) -> SupplierOrder:
    """The whole order as one supplier order of the seller: the implicit one, and what forwarding partitions.

    Units take the stock that was reserved, and nothing has left. A line that is on the order and not in the
    reservation has no allocation: its shortage is visible.
    """
    taken: dict[str, list[Assignment]] = {}
    for item in assignments:
        taken.setdefault(item.line_item_id, []).append(item)
    lines = tuple(_line(position, line, taken.get(line.line_item_id, ()), new_key) for position, line in enumerate(order.lines))
    return SupplierOrder(
        key=new_key(),
        id=f"{order.order_id}-1",
        number=1,
        order_key=order.order_key,
        order_id=order.order_id,
        supplier_id="",
        status=SupplierOrderStatus.OPEN,
        implicit=True,
        buyer_id=order.buyer_id,
        user_id=order.user_id,
        client_id=order.client_id,
        currency=order.currency,
        lines=lines,
        subtotal=sum(line.subtotal for line in lines),
        discount=sum(line.discount for line in lines),
        shipping_cost=order.shipping_cost,
        tax=order.tax,
        selections=order.shipping,
        create_time=now,
        update_time=now,
        shipping_address=order.shipping_address,
        billing_address=order.billing_address,
        comments=order.comments,
        xp=order.xp,
    )


def _line(position: int, line: SnapshotLine, taken: Sequence[Assignment], new_key: Callable[[], UUID]) -> OrderLine:
    return OrderLine(
        line_item_id=line.line_item_id,
        position=position,
        product_id=line.product_id,
        product_name=line.product_name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        subtotal=line.subtotal,
        discount=line.discount,
        tax=line.tax,
        shippable=line.shippable,
        allocations=tuple(allocation(item, new_key()) for item in taken),
        shipping_address=line.shipping_address,
        pickup_location_id=line.pickup_location_id,
        xp=line.xp,
        variant_id=line.variant_id,
        cost_center=line.cost_center,
        shipping_account=line.shipping_account,
        comments=line.comments,
        date_needed=line.date_needed,
        specs=line.specs,
        included_tax=line.included_tax,
    )


def allocation(item: Assignment, key: UUID) -> Allocation:
    """Sourced units as units of a line."""
    return Allocation(key, item.record_key, item.record_id, item.supplier_id, item.ship_from_id, item.quantity)
