"""Rows of fulfillment that matter for the walk, and what their columns are changed to where the type does not say it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.db import tables
from tests.e2e.corruptions.books import HELD, LOW, OPEN, Books
from tests.e2e.corruptions.places import at, of, of_order, to, with_
from tests.e2e.corruptions.walk import Place, Places

_M, _R, _V, _S, _A = (
    table.c
    for table in (tables.stock_movements, tables.inventory_records, tables.reservations, tables.shipments, tables.allocations)
)
_KEY = sa.select(_R.key).where(_R.id == "tongs-northforge").scalar_subquery()
_ORDER = of(tables.supplier_orders.c.id, f"{OPEN}-1")
_ATTEMPT = of_order(_V.order_key, OPEN)


def _movement(kind: str, id: str) -> Any:
    """Movements of a kind, of an order."""
    return lambda books: sa.and_(_M.kind == kind, _M.order_key == str(books.keys[id]))


def _its(column: Any, id: str = f"{OPEN}-1") -> Any:
    """Rows of a supplier order."""
    its = sa.select(tables.supplier_orders.c.key).where(tables.supplier_orders.c.id == id).scalar_subquery()
    return lambda _: column == its


def _packed(books: Books) -> Any:
    return tables.shipment_items.c.shipment_key == sa.select(_S.key).where(_S.id == "packed").scalar_subquery()


FULFILLMENT: Places = {
    "inventory_records": Place(of(_R.id, "tongs-northforge")),
    **{f"inventory_records.{name}": Place(of(_R.id, LOW)) for name in ("notify_below", "low_stock")},
    "stock_alerts.kind": Place(changes=to("BELOW")),
    "stock_alerts.available": Place(changes=to(0)),
    "stock_addresses": Place(lambda _: tables.stock_addresses.c.record_key == _KEY),
    "stock_movements": Place(_movement("ALLOCATE", OPEN)),
    "stock_movements.kind": Place(_movement("ALLOCATE", OPEN), to("LOST")),
    "stock_movements.shipment_id": Place(_movement("SHIP", OPEN), {"another": lambda _: "other", "none": lambda _: ""}),
    "stock_movements.user_id": Place(
        lambda _: sa.and_(_M.record_key == _KEY, _M.kind == "ADJUST"), {"another": lambda _: "other", "nobody": lambda _: ""}
    ),
    "reservations": Place(_ATTEMPT),
    "reservations.state": Place(_ATTEMPT, to("RELEASED")),
    "reservations.kind": Place(_ATTEMPT, to("CHANGE")),
    "reservations.hold": Place(_ATTEMPT, {"frozen": lambda _: "FROZEN", "canceled": lambda _: "CANCELED"}),
    "reservations.held": Place(of_order(_V.order_key, HELD)),
    "reservations.lines": Place(_ATTEMPT, {"units": at(0, "q"), "product": at(0, "p", by="other")}),
    "reservations.costs": Place(_ATTEMPT, {"cost": at("l1", "northforge")}),
    "reservations.assignments": Place(
        _ATTEMPT, {"units": at(0, 2), "product": at(0, 1, by="other"), "record": at(0, 5, by=None)}
    ),
    "supplier_orders": Place(_ORDER),
    "supplier_orders.status": Place(_ORDER, to("COMPLETED")),
    "supplier_orders.former_status": Place(_ORDER, to("OPEN")),
    "supplier_orders.selections": Place(_ORDER, {"cost": at(0, "cost"), "method": at(0, "method", by="other")}),
    "supplier_order_lines": Place(_its(tables.supplier_order_lines.c.supplier_order_key)),
    "supplier_order_lines.specs": Place(
        _its(tables.supplier_order_lines.c.supplier_order_key), to([["size", "Size", "s", "Small", ""]])
    ),
    "allocations": Place(_its(_A.supplier_order_key)),
    "shipments": Place(of(_S.id, "packed")),
    "shipment_items": Place(_packed),
    "shipment_items.draws": Place(
        _packed, {"units": at(0, 2), "allocation": at(0, 0, by="0" * 32), "record": at(0, 1, by="0" * 32)}
    ),
    "requests": Place(lambda _: tables.requests.c.method.like("%/CreateShipment"), with_(ids=["nowhere"])),
}
