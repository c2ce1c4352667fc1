"""Fulfillment's reports as the order service reads them: from calls of it and to it, and from its own database."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from libs.protoconv import address_plain, instant, money_micros, struct_plain
from services.order.application.records import ReportedShipment, ReportedSupplierOrder, Reports
from services.order.domain.progress.fulfillment import UnitCount
from services.order.domain.progress.unclaimed import Claim
from waybill.fulfillment.v1 import shipment_pb2, supplier_order_pb2

_STATUS = {"COMPLETED": "COMPLETED", "REJECTED": "CANCELED", "CANCELED": "CANCELED"}
"""Order statuses of supplier orders; every other one is OPEN."""
_AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total")


def reports_of(
    supplier_orders: Iterable[supplier_order_pb2.SupplierOrder], shipments: Iterable[shipment_pb2.Shipment] = ()
) -> Reports:
    """Messages as reports. A shipment of several buyer orders becomes one report for each, with its own units."""
    return Reports(
        tuple(_supplier_order(m) for m in supplier_orders), tuple(report for m in shipments for report in _shipments(m))
    )


def counts_of(message: supplier_order_pb2.SupplierOrder) -> tuple[UnitCount, ...]:
    """Units per line."""
    return tuple(
        UnitCount(
            line.line_item_id,
            line.quantity,
            line.quantity_shipped,
            line.quantity_canceled,
            line.quantity_backordered,
            _time(line, "expected_time"),
        )
        for line in message.line_items
    )


def claim_of(message: supplier_order_pb2.SupplierOrder) -> Claim:
    """Whether its units are unclaimed."""
    return Claim(message.unclaimed, {line.line_item_id: line.quantity for line in message.line_items})


def _name(message: supplier_order_pb2.SupplierOrder) -> str:
    name = supplier_order_pb2.SupplierOrderStatus.Name(message.status)
    return name.removeprefix("SUPPLIER_ORDER_STATUS_")


def _time(message: Any, field: str) -> datetime | None:
    return instant(getattr(message, field)) if message.HasField(field) else None


# Long because it names every column of the read model once.
def _supplier_order(m: supplier_order_pb2.SupplierOrder) -> ReportedSupplierOrder:
    status = _name(m)
    created = instant(m.create_time)
    row: dict[str, Any] = {
        "key": uuid.UUID(m.key),
        "kind": "MOVED" if m.moved and m.implicit else "SUPPLIER",
        "id": m.id,
        "parent_key": uuid.UUID(m.order_key),
        "parent_id": m.order_id,
        "buyer_id": m.buyer_id,
        "supplier_id": m.supplier_id,
        "user_id": m.user_id,
        "user": {"id": m.user_id},
        "created_by": "",
        "client_id": m.client_id,
        "currency": m.currency,
        "status": _STATUS.get(status, "OPEN"),
        "sub_status": "",
        "supplier_status": status,
        "is_submitted": True,
        "policy": {},
        "content_version": 1,
        "estimated_version": 0,
        "calculated_version": 1,
        "line_item_count": len(m.line_items),
        "subtotal": money_micros(m.subtotal),
        "discount": money_micros(m.discount),
        "shipping_cost": money_micros(m.shipping_cost),
        "tax": money_micros(m.tax),
        "total": money_micros(m.total),
        "included_tax": money_micros(m.included_tax),
        "cost": money_micros(m.cost) if m.HasField("cost") else None,
        **{f"canceled_{name}": money_micros(getattr(m.canceled, name)) for name in _AMOUNTS},
        "shipping_cost_override": None,
        "tax_override": None,
        "shipping_address_id": "",
        "shipping_address": address_plain(m.shipping_address) if m.HasField("shipping_address") else None,
        "billing_address_id": "",
        "billing_address": address_plain(m.billing_address) if m.HasField("billing_address") else None,
        "comments": m.comments,
        "xp": struct_plain(m.xp),
        "submission": None,
        "held": m.held,
        "holds": None,
        "create_time": created,
        "update_time": _time(m, "update_time") or created,
        "submit_time": created,
        "approve_time": None,
        "decline_time": _time(m, "reject_time"),
        "forward_time": created,
        "complete_time": _time(m, "complete_time"),
        "cancel_time": _time(m, "cancel_time"),
        "source_version": m.version,
        "document": m.SerializeToString(),
    }
    return ReportedSupplierOrder(
        key=row["key"],
        id=m.id,
        order_key=row["parent_key"],
        supplier_id=m.supplier_id,
        status=status,
        version=m.version,
        implicit=m.implicit,
        counts=counts_of(m),
        shipped=money_micros(m.shipped_total),
        row=row,
        claim=claim_of(m),
    )


def _shipments(m: shipment_pb2.Shipment) -> list[ReportedShipment]:
    reports: list[ReportedShipment] = []
    for key in dict.fromkeys(item.order_key for item in m.items):
        part = shipment_pb2.Shipment()
        part.CopyFrom(m)
        del part.items[:]
        part.items.extend(item for item in m.items if item.order_key == key and item.quantity)
        # A shipment that holds nothing of the order any more is known by its version alone.
        document = part.SerializeToString() if part.items else b""
        reports.append(ReportedShipment(uuid.UUID(key), m.key or m.id, m.id, m.version, m.HasField("ship_time"), document))
    return reports
