"""Between rows of lines and the domain's values, field by field."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from services.order.adapters.db.choice_rows import choices_json, choices_of
from services.order.adapters.db.discount_rows import discounts_json, discounts_of
from services.order.adapters.db.price_step_rows import price_steps_json, price_steps_of
from services.order.domain.model import Line
from services.order.domain.product_snapshot import ProductSnapshot

Row = Any
"""A row mapping; SQLAlchemy types its keys too narrowly for Mapping[str, Any]."""
_LINE_FIELDS = (
    "id",
    "position",
    "product_id",
    "quantity",
    "unit_price",
    "subtotal",
    "discount",
    "tax",
    "price_schedule_id",
    "unit_price_override",
    "discount_override",
    "shipping_address_id",
    "shipping_address",
    "pickup_location_id",
    "inventory_record_id",
    "quantity_shipped",
    "quantity_canceled",
    "date_needed",
    "xp",
    "create_time",
    "line_mark_up",
    "variant_id",
    "cost_center",
    "shipping_account",
    "comments",
    "tax_included",
    "included_tax",
    "quantity_backordered",
    "expected_time",
)


def _product_json(product: ProductSnapshot) -> dict[str, Any]:
    return {
        "name": product.name,
        "default_supplier_id": product.default_supplier_id,
        "supplier_ids": list(product.supplier_ids),
        "ship_from_address_id": product.ship_from_address_id,
        "shippable": product.shippable,
        "track_inventory": product.track_inventory,
        "tax_class": product.tax_class,
        "weight_kg": str(product.weight_kg),
        "quantity_multiplier": product.quantity_multiplier,
        "etag": product.etag,
        "returnable": product.returnable,
        "variant_stock": product.variant_stock,
        "variant_name": product.variant_name,
        "auto_forward": product.auto_forward,
    }


def _product_of(stored: Row) -> ProductSnapshot:
    values = dict(stored)
    values["supplier_ids"] = tuple(stored["supplier_ids"])
    values["weight_kg"] = Decimal(stored["weight_kg"])
    return ProductSnapshot(**values)


def line_row(key: uuid.UUID, line: Line) -> dict[str, Any]:
    """The columns of a line."""
    row: dict[str, Any] = {name: getattr(line, name) for name in _LINE_FIELDS}
    row["order_key"] = key
    row["product"] = _product_json(line.product)
    row["tax_rate"] = str(line.tax_rate)
    row["discounts"] = discounts_json(line.discounts)
    row["price_steps"] = price_steps_json(line.price_steps)
    row["choices"] = choices_json(line.choices)
    return row


def line_of(row: Row) -> Line:
    """A line."""
    return Line(
        **{name: row[name] for name in _LINE_FIELDS},
        product=_product_of(row["product"]),
        tax_rate=Decimal(row["tax_rate"]),
        discounts=discounts_of(row["discounts"]),
        price_steps=price_steps_of(row["price_steps"]),
        choices=choices_of(row["choices"]),
    )
