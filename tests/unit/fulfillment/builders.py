"""Values of the fulfillment domain with defaults."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from libs.ids import SequentialIds
from services.fulfillment.domain.sourcing.model import Assignment, Line, Stock
from services.fulfillment.domain.stock.ledger import Cause
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.place import Forwarding, confirm, delivered
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot, SnapshotLine
from services.fulfillment.domain.supplier_orders.supplier_order import ShipSelection

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
CAUSE = Cause("order-1", 1)


def stock(id: str, product: str = "drill", on_hand: int = 10, **values: Any) -> Stock:
    """A record whose key follows from its id."""
    return Stock(
        key=uuid.uuid5(uuid.NAMESPACE_OID, id),
        id=id,
        product_id=product,
        supplier_id=values.pop("supplier", ""),
        location_id=values.pop("location", f"{id}-place"),
        on_hand=on_hand,
        reserved=values.pop("reserved", 0),
        allocated=values.pop("allocated", 0),
        **values,
    )


def line(id: str = "l1", quantity: int = 1, product: str = "drill", **values: Any) -> Line:
    """A sourcing line."""
    return Line(id, product, quantity, **values)


def taken(line_id: str, quantity: int, supplier: str = "", record: str = "", product: str = "drill") -> Assignment:
    """Units given to a supplier, from a record or uncounted."""
    key = uuid.uuid5(uuid.NAMESPACE_OID, record) if record else None
    return Assignment(line_id, product, quantity, supplier, f"{supplier}-place", key, record)


def order_line(id: str = "l1", quantity: int = 1, subtotal: int = 10_000_000, **values: Any) -> SnapshotLine:
    """A line of the buyer order; amounts in micros. What is added once to a line is in its subtotal and in no `unit_price`."""
    return SnapshotLine(
        line_item_id=id,
        product_id=values.pop("product", "drill"),
        product_name="A drill",
        quantity=quantity,
        unit_price=values.pop("unit_price", subtotal // max(quantity, 1)),
        subtotal=subtotal,
        discount=values.pop("discount", 0),
        tax=values.pop("tax", 0),
        shippable=values.pop("shippable", True),
        **values,
    )


def snapshot(*lines: SnapshotLine, shipping: tuple[ShipSelection, ...] = (), **values: Any) -> OrderSnapshot:
    """A decided buyer order."""
    return OrderSnapshot(
        order_key="order-1",
        order_id="PO1",
        buyer_id="acme",
        user_id="anna",
        client_id="shop",
        currency=values.pop("currency", "USD"),
        lines=lines or (order_line(),),
        shipping=shipping,
        shipping_cost=values.pop("shipping_cost", sum(s.cost for s in shipping)),
        tax=values.pop("tax", sum(x.tax for x in lines) + sum(s.tax for s in shipping)),
        **values,
    )


def confirmed(
    order: OrderSnapshot,
    *assignments: Assignment,
    forward: bool = True,
    kept: Iterable[str] = (),
    ids: SequentialIds | None = None,
    stocks: Sequence[Stock] | None = None,
) -> Change:
    """The supplier orders of an order whose stock was reserved like this, and is there unless `stocks` say otherwise."""
    there = [stock(a.record_id, on_hand=1_000) for a in assignments if a.record_id] if stocks is None else stocks
    forwarding = Forwarding(forward, frozenset(kept))
    return delivered(confirm(order, assignments, CAUSE, forwarding, (ids or SequentialIds()).key, NOW), there, NOW)
