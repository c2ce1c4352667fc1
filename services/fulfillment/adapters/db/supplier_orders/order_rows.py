"""Supplier orders between rows and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.relay import marks
from services.fulfillment.adapters.db.documents import selections_in, selections_out
from services.fulfillment.domain.supplier_orders.costs import cost
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import Allocation, LineSpec, OrderLine, SupplierOrder


def header_row(o: SupplierOrder, report_time: datetime) -> dict[str, Any]:
    """A new supplier order's row."""
    return {
        "key": o.key,
        "id": o.id,
        "number": o.number,
        "order_key": o.order_key,
        "order_id": o.order_id,
        "supplier_id": o.supplier_id,
        "implicit": o.implicit,
        "buyer_id": o.buyer_id,
        "user_id": o.user_id,
        "client_id": o.client_id,
        "currency": o.currency,
        "shipping_address": o.shipping_address,
        "billing_address": o.billing_address,
        "comments": o.comments,
        "create_time": o.create_time,
        "reported_version": 0,
        **state_row(o, report_time),
    }


def state_row(o: SupplierOrder, report_time: datetime) -> dict[str, Any]:
    """What may change of a supplier order's row."""
    return {
        "status": o.status.value,
        "former_status": None if o.former_status is None else o.former_status.value,
        "moved": o.moved,
        "held": o.held,
        "subtotal": o.subtotal,
        "discount": o.discount,
        "shipping_cost": o.shipping_cost,
        "tax": o.tax,
        "total": o.total,
        "cost": cost(o),
        "selections": selections_out(o.selections),
        "xp": dict(o.xp),
        "accept_time": o.accept_time,
        "reject_time": o.reject_time,
        "complete_time": o.complete_time,
        "cancel_time": o.cancel_time,
        "reject_comment": o.reject_comment,
        "accept_by": o.accept_by,
        "unclaimed": o.unclaimed,
        "version": o.version,
        "update_time": o.update_time,
        **marks.changed(report_time),
    }


def line_rows(orders: Iterable[SupplierOrder]) -> list[dict[str, Any]]:
    """Rows of all lines."""
    return [
        {
            "supplier_order_key": o.key,
            "line_item_id": line.line_item_id,
            "position": line.position,
            "product_id": line.product_id,
            "product_name": line.product_name,
            "quantity": line.quantity,
            "packed": line.packed,
            "shipped": line.shipped,
            "canceled": line.canceled,
            "unit_price": line.unit_price,
            "subtotal": line.subtotal,
            "discount": line.discount,
            "tax": line.tax,
            "shippable": line.shippable,
            "shipping_address": line.shipping_address,
            "pickup_location_id": line.pickup_location_id,
            "xp": dict(line.xp),
            "variant_id": line.variant_id,
            "cost_center": line.cost_center,
            "shipping_account": line.shipping_account,
            "comments": line.comments,
            "date_needed": line.date_needed,
            "specs": [astuple(spec) for spec in line.specs],
            "included_tax": line.included_tax,
            "unit_cost": line.unit_cost,
        }
        for o in orders
        for line in o.lines
    ]


def allocation_rows(orders: Iterable[SupplierOrder]) -> list[dict[str, Any]]:
    """Rows of all allocations."""
    return [
        {
            "key": a.key,
            "supplier_order_key": o.key,
            "line_item_id": line.line_item_id,
            "position": position,
            "record_key": a.record_key,
            "record_id": a.record_id,
            "supplier_id": a.supplier_id,
            "ship_from_id": a.ship_from_id,
            "quantity": a.quantity,
            "packed": a.packed,
            "shipped": a.shipped,
            "backordered": a.waiting,
            "expected_time": a.expected_time if a.waiting else None,
        }
        for o in orders
        for line in o.lines
        for position, a in enumerate(line.allocations)
    ]


def allocations_of(rows: Iterable[Any]) -> dict[tuple[UUID, str], tuple[Allocation, ...]]:
    """Allocations by supplier order and line; the rows come in their positions."""
    found: dict[tuple[UUID, str], tuple[Allocation, ...]] = {}
    for row in rows:
        place = (row.supplier_order_key, row.line_item_id)
        made = Allocation(
            key=row.key,
            record_key=row.record_key,
            record_id=row.record_id,
            supplier_id=row.supplier_id,
            ship_from_id=row.ship_from_id,
            quantity=row.quantity,
            packed=row.packed,
            shipped=row.shipped,
            backordered=row.backordered,
            expected_time=row.expected_time,
        )
        found[place] = (*found.get(place, ()), made)
    return found


def lines_of(rows: Iterable[Any], allocations: Mapping[tuple[UUID, str], tuple[Allocation, ...]]) -> dict[UUID, list[OrderLine]]:
    """Lines by supplier order, in their positions."""
    found: dict[UUID, list[OrderLine]] = {}
    for row in rows:
        key = row.supplier_order_key
        found.setdefault(key, []).append(
            OrderLine(
                line_item_id=row.line_item_id,
                position=row.position,
                product_id=row.product_id,
                product_name=row.product_name,
                quantity=row.quantity,
                unit_price=row.unit_price,
                subtotal=row.subtotal,
                discount=row.discount,
                tax=row.tax,
                shippable=row.shippable,
                packed=row.packed,
                shipped=row.shipped,
                canceled=row.canceled,
                allocations=allocations.get((key, row.line_item_id), ()),
                shipping_address=row.shipping_address,
                pickup_location_id=row.pickup_location_id,
                xp=row.xp,
                variant_id=row.variant_id,
                cost_center=row.cost_center,
                shipping_account=row.shipping_account,
                comments=row.comments,
                date_needed=row.date_needed,
                specs=tuple(LineSpec(*spec) for spec in row.specs),
                included_tax=row.included_tax,
                unit_cost=row.unit_cost,
            )
        )
    return found


def order_of(row: Any, lines: Sequence[OrderLine]) -> SupplierOrder:
    """A row and its lines as a supplier order."""
    return SupplierOrder(
        key=row.key,
        id=row.id,
        number=row.number,
        order_key=row.order_key,
        order_id=row.order_id,
        supplier_id=row.supplier_id,
        status=SupplierOrderStatus(row.status),
        implicit=row.implicit,
        buyer_id=row.buyer_id,
        user_id=row.user_id,
        client_id=row.client_id,
        currency=row.currency,
        lines=tuple(lines),
        subtotal=row.subtotal,
        discount=row.discount,
        shipping_cost=row.shipping_cost,
        tax=row.tax,
        selections=selections_in(row.selections),
        create_time=row.create_time,
        update_time=row.update_time,
        shipping_address=row.shipping_address,
        billing_address=row.billing_address,
        comments=row.comments,
        xp=row.xp,
        version=row.version,
        moved=row.moved,
        held=row.held,
        former_status=None if row.former_status is None else SupplierOrderStatus(row.former_status),
        accept_time=row.accept_time,
        reject_time=row.reject_time,
        complete_time=row.complete_time,
        cancel_time=row.cancel_time,
        reject_comment=row.reject_comment,
        accept_by=row.accept_by,
        unclaimed=row.unclaimed,
    )
