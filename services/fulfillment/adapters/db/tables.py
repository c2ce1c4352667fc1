"""Tables of the fulfillment database.

There are no foreign keys: every row is written in the transaction of the row that it belongs to, under its
lock, and the inspection proves it; checking each of 5,000 rows again would cost a look-up each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.db import Json, Micros, PublicId, UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.ids import NUMBERED_ID
from libs.relay import marks
from libs.relay.changes import Counted, change_tables
from libs.service import retries
from services.fulfillment.domain.sourcing.reservation import Freeze, Kind, ReservationState
from services.fulfillment.domain.stock.ledger import MovementKind
from services.fulfillment.domain.stock.thresholds import AlertKind
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus

METADATA = metadata()
ORDER_KEY = sa.String(36)
SUPPLIER_ORDER_ID = sa.String(NUMBERED_ID)
"""An order id of at most 100 characters, a dash and a number."""
STATUS = sa.String(12)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind if kind is not None else PublicId(), nullable=False)


def _variant() -> sa.Column[Any]:
    return sa.Column("variant_id", PublicId(), nullable=False, server_default="")


def _partial(name: str, column: sa.Column[Any], where: sa.ColumnElement[bool]) -> None:
    sa.Index(name, column, sqlite_where=where, postgresql_where=where)


def _stamps() -> list[sa.Column[Any]]:
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcTime(), nullable=False),
        sa.Column("update_time", UtcTime(), nullable=False),
    ]


inventory_records = sa.Table(
    "inventory_records",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("id", PublicId(), nullable=False, unique=True),
    sa.Column("product_id", PublicId(), nullable=False),
    # Empty where the stock of the product is counted as a whole.
    _variant(),
    _text("supplier_id"),
    _text("location_id"),
    sa.Column("address", Json()),
    _count("on_hand"),
    _count("reserved"),
    _count("allocated"),
    # How often the counters have moved; `version` counts what was edited.
    sa.Column("bookings", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("can_exceed", sa.Boolean, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("pickup", sa.Boolean, nullable=False),
    sa.Column("xp", Json(), nullable=False),
    *_stamps(),
    # Below how many available units somebody is alerted, whether that is so, and how often it began or ended.
    sa.Column("notify_below", sa.BigInteger),
    sa.Column("low_stock", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("crossings", sa.BigInteger, nullable=False, server_default="0"),
    # Whom it is for; open to all without any.
    *(sa.Column(name, Json(), nullable=False, server_default="[]") for name in ("buyer_ids", "user_group_ids")),
    # How far it may be sold beyond its stock, where it may; any number without one. And when more is expected.
    sa.Column("backorder_limit", sa.BigInteger),
    sa.Column("expected_time", UtcTime()),
    # How many units wait for it, as their orders show it, and the `version` and `bookings`, added up, that this is of.
    *(sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in ("waiting", "waiting_shown")),
    sa.Index("ix_inventory_records_product_variant", "product_id", "variant_id"),
)
_R = inventory_records.c
_SHORT = sa.or_(sa.and_(_R.allocated > 0, _R.allocated > _R.on_hand), _R.waiting > 0)
WAITING_CHANGED = sa.and_(_SHORT, _R.waiting_shown != _R.version + _R.bookings)
"""Records that have moved or were edited since it was last looked at which units wait for them."""
_partial("ix_inventory_records_waiting_changed", _R.key, WAITING_CHANGED)

stock_addresses = sa.Table(
    "stock_addresses",
    METADATA,
    sa.Column("record_key", sa.Uuid, primary_key=True),
    # The record's version that the address came with.
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("address", Json()),
    sa.Column("create_time", UtcTime(), nullable=False),
)
"""Every address that a record was given, by its creation or an update: the newest one is where it lies."""

stock_movements = sa.Table(
    "stock_movements",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("record_key", sa.Uuid, nullable=False, index=True),
    _text("kind", STATUS),
    _count("on_hand"),
    _count("reserved"),
    _count("allocated"),
    sa.Column("order_key", ORDER_KEY, nullable=False, index=True),
    _count("attempt"),
    _text("line_item_id"),
    _text("shipment_id"),
    _text("user_id"),
    _text("note", sa.String(500)),
    sa.Column("create_time", UtcTime(), nullable=False),
)

stock_alerts = sa.Table(
    "stock_alerts",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("record_key", sa.Uuid, nullable=False),
    # The record's crossings, with this one.
    sa.Column("number", sa.BigInteger, nullable=False),
    _text("kind", STATUS),
    _count("notify_below"),
    _count("available"),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.UniqueConstraint("record_key", "number"),
)
"""Every time that what is available of a record crossed its threshold."""

reservations = sa.Table(
    "reservations",
    METADATA,
    sa.Column("order_key", ORDER_KEY, primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True, autoincrement=False),
    # SUBMIT holds stock; CHANGE holds the frozen units of the order's supplier orders.
    sa.Column("kind", STATUS, nullable=False, server_default="SUBMIT"),
    _text("state", STATUS),
    # What a cancel has decided before the confirm arrived: '', FROZEN or CANCELED.
    _text("hold", STATUS),
    # Whether the order is on hold, and the order's version when that was decided.
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("held_version", sa.BigInteger, nullable=False, server_default="0"),
    _text("strategy", sa.String(20)),
    sa.Column("lines", Json(), nullable=False),
    sa.Column("assignments", Json(), nullable=False),
    # The buyer order's xp when it was confirmed: what supplier orders start with, those of a later forward too.
    sa.Column("order_xp", Json()),
    # Seconds that each supplier has to answer, those of a later forward or rejection too; null for without a limit.
    sa.Column("accept_within", sa.Integer),
    # What suppliers are paid for a unit, by line and supplier, as the order was confirmed; null where nobody has a cost.
    sa.Column("costs", Json()),
    # The stages that choose locations, in place of the strategy; null without.
    sa.Column("stages", Json()),
    # When to ask what became of the attempt; null once it is confirmed or released.
    sa.Column("check_time", UtcTime(), index=True),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    *retries.columns(),
)

supplier_orders = sa.Table(
    "supplier_orders",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("id", SUPPLIER_ORDER_ID, nullable=False, unique=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("order_key", ORDER_KEY, nullable=False, index=True),
    _text("order_id"),
    sa.Column("supplier_id", PublicId(), nullable=False, index=True),
    _text("status", STATUS),
    sa.Column("former_status", STATUS),
    sa.Column("implicit", sa.Boolean, nullable=False),
    sa.Column("moved", sa.Boolean, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("buyer_id"),
    _text("user_id"),
    _text("client_id"),
    sa.Column("currency", sa.String(3), nullable=False),
    _text("subtotal", Micros()),
    _text("discount", Micros()),
    _text("shipping_cost", Micros()),
    _text("tax", Micros()),
    _text("total", Micros()),
    sa.Column("selections", Json(), nullable=False),
    sa.Column("shipping_address", Json()),
    sa.Column("billing_address", Json()),
    _text("comments", sa.Text()),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("accept_time", UtcTime()),
    sa.Column("reject_time", UtcTime()),
    sa.Column("complete_time", UtcTime()),
    sa.Column("cancel_time", UtcTime()),
    _text("reject_comment", sa.Text()),
    *_stamps(),
    *marks.columns(),
    # When its supplier should have answered; null for without a limit.
    sa.Column("accept_by", UtcTime()),
    # Whether it holds units that no supplier took, and that the seller has not accepted.
    sa.Column("unclaimed", sa.Boolean, nullable=False, server_default=sa.false()),
    # When what a loop has failed at is tried again: the delivery of its open units, or its rejection because nobody answered;
    # null when nothing has failed.
    sa.Column("deliver_time", UtcTime()),
    # Sum of the lines' costs; null without a cost side.
    sa.Column("cost", Micros()),
    *retries.columns(),
)
UNANSWERED = sa.and_(supplier_orders.c.status == sa.literal_column("'OPEN'"), supplier_orders.c.accept_by.is_not(None))
"""Those that wait for their suppliers' answers, and not for ever."""
_partial("ix_supplier_orders_unanswered", supplier_orders.c.accept_by, UNANSWERED)
_partial("ix_supplier_orders_unclaimed", supplier_orders.c.key, supplier_orders.c.unclaimed)

supplier_order_lines = sa.Table(
    "supplier_order_lines",
    METADATA,
    sa.Column("supplier_order_key", sa.Uuid, primary_key=True),
    sa.Column("line_item_id", PublicId(), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("product_id"),
    _text("product_name", sa.Text()),
    _count("quantity"),
    *(_count(name) for name in ("packed", "shipped", "canceled")),
    _text("unit_price", Micros()),
    _text("subtotal", Micros()),
    _text("discount", Micros()),
    _text("tax", Micros()),
    sa.Column("shippable", sa.Boolean, nullable=False),
    sa.Column("shipping_address", Json()),
    _text("pickup_location_id"),
    sa.Column("xp", Json(), nullable=False),
    _variant(),
    # What the buyer says of the line.
    sa.Column("cost_center", sa.String(100), nullable=False, server_default=""),
    sa.Column("shipping_account", sa.String(100), nullable=False, server_default=""),
    sa.Column("comments", sa.String(2_000), nullable=False, server_default=""),
    sa.Column("date_needed", UtcTime()),
    sa.Column("specs", Json(), nullable=False, server_default="[]"),
    sa.Column("included_tax", Micros(), nullable=False, server_default="0"),
    # What the supplier is paid for one unit; null when that is not known.
    sa.Column("unit_cost", Micros()),
)
OPEN_DELIVERY = sa.and_(
    sa.not_(supplier_order_lines.c.shippable),
    supplier_order_lines.c.quantity > supplier_order_lines.c.shipped + supplier_order_lines.c.canceled,
)
"""Lines that need no shipment and are not delivered whole: few at any time."""
_partial("ix_supplier_order_lines_open_delivery", supplier_order_lines.c.supplier_order_key, OPEN_DELIVERY)

allocations = sa.Table(
    "allocations",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("supplier_order_key", sa.Uuid, nullable=False, index=True),
    _text("line_item_id"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("record_key", sa.Uuid),
    _text("record_id"),
    _text("supplier_id"),
    _text("ship_from_id"),
    _count("quantity"),
    _count("packed"),
    _count("shipped"),
    sa.Column("backordered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expected_time", UtcTime()),
)
HELD = sa.and_(allocations.c.record_key.is_not(None), allocations.c.quantity > allocations.c.shipped)
"""Those whose records still hold units for them."""
_partial("ix_allocations_held", allocations.c.record_key, HELD)

shipments = sa.Table(
    "shipments",
    METADATA,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("id", PublicId(), nullable=False, unique=True),
    sa.Column("supplier_id", PublicId(), nullable=False, index=True),
    sa.Column("buyer_id", PublicId(), nullable=False, index=True),
    _text("carrier", sa.String(200)),
    _text("tracking_number", sa.String(200)),
    _text("ship_method_id"),
    sa.Column("cost", Micros()),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("supplier_number", sa.String(100), nullable=False, server_default=""),
    _text("ship_from_id"),
    sa.Column("ship_to", Json()),
    sa.Column("ship_time", UtcTime()),
    sa.Column("delivery_time", UtcTime()),
    sa.Column("void_time", UtcTime()),
    # A deleted shipment holds nothing, and is not listed; its id stays taken.
    sa.Column("delete_time", UtcTime()),
    sa.Column("xp", Json(), nullable=False),
    *_stamps(),
    *marks.columns(),
)

shipment_items = sa.Table(
    "shipment_items",
    METADATA,
    sa.Column("shipment_key", sa.Uuid, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("supplier_order_key", sa.Uuid, nullable=False, index=True),
    _text("supplier_order_id", SUPPLIER_ORDER_ID),
    sa.Column("order_key", ORDER_KEY, nullable=False, index=True),
    _text("order_id"),
    sa.Column("user_id", PublicId(), nullable=False),
    _text("line_item_id"),
    _text("product_id"),
    _count("quantity"),
    _text("record_id"),
    # Where the units are taken from: [allocation key or null, record key or null, quantity].
    sa.Column("draws", Json(), nullable=False),
    _variant(),
)

requests = outcomes.table(METADATA)
deleted_ids = tombstones.table(METADATA)
audit_entries = audit_table(METADATA)
changes = change_tables(METADATA).looking_up(
    Counted(inventory_records.c.key, inventory_records.c.id, inventory_records.c.version + inventory_records.c.bookings)
)

MADE = {
    "CreateInventoryRecord": inventory_records,
    "BatchCreateInventoryRecords": inventory_records,
    "AdjustStock": inventory_records,
    "CreateShipment": shipments,
    "BatchCreateShipments": shipments,
}
"""By the method that makes or changes it: the table where the id in a recorded outcome leads, unless it was deleted."""

NAMES: Mapping[sa.Column[Any], Iterable[str]] = {
    stock_movements.c.kind: MovementKind,
    stock_alerts.c.kind: AlertKind,
    reservations.c.kind: Kind,
    reservations.c.state: ReservationState,
    reservations.c.hold: Freeze,
    supplier_orders.c.status: SupplierOrderStatus,
    supplier_orders.c.former_status: SupplierOrderStatus,
}
"""Columns of names that the software gives, and the names."""
