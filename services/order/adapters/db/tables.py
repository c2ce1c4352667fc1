"""Tables of the order service."""

# Long because every table of the service stands here, each to be read alone.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.db import Json, Micros, UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.ids import NUMBERED_ID
from libs.relay.feed import epoch_table, event_table
from libs.resource.database import resource_table
from libs.service import retries
from services.order.contract import sub_statuses
from services.order.contract.approval_rules import APPROVAL_RULE
from services.order.domain.approval.rounds import ApprovalStatus
from services.order.domain.status import OrderStatus

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
AUDIT = audit_table(METADATA)

MARKED = sa.text("sub_status <> ''")
"""Orders in a sub-status, as their index has it."""
_WITH_BODY = sa.text("body IS NOT NULL")
_PAYMENTS_LEFT = sa.text("payments_left")
_LEFT = sa.text("status = 'UNSUBMITTED' AND line_item_count > 0")
_PENDING = sa.text("status = 'PENDING'")
_EMPTY = sa.text("status = 'UNSUBMITTED' AND line_item_count = 0")

ORDERS = sa.Table(
    "orders",
    METADATA,
    sa.Column("key", sa.Uuid(), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    # Supplier orders are called after their order, with a number: those ids are longer than a caller's.
    sa.Column("id", sa.String(NUMBERED_ID), nullable=False),
    sa.Column("parent_key", sa.Uuid(), nullable=True, index=True),
    sa.Column("parent_id", sa.String(100), nullable=False, server_default=""),
    sa.Column("seller_id", sa.String(100), nullable=False),
    sa.Column("buyer_id", sa.String(100), nullable=False),
    sa.Column("supplier_id", sa.String(100), nullable=False, server_default=""),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("user", Json(), nullable=False),
    sa.Column("created_by", sa.String(100), nullable=False),
    sa.Column("client_id", sa.String(100), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("sub_status", sa.String(40), nullable=False),
    # Of a supplier order; empty on buyer orders.
    sa.Column("supplier_status", sa.String(20), nullable=False, server_default=""),
    sa.Column("is_submitted", sa.Boolean, nullable=False),
    sa.Column("guest", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("policy", Json(), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("content_version", sa.BigInteger, nullable=False),
    sa.Column("estimated_version", sa.BigInteger, nullable=False),
    sa.Column("calculated_version", sa.BigInteger, nullable=False),
    sa.Column("line_item_count", sa.BigInteger, nullable=False),
    sa.Column("subtotal", Micros(), nullable=False),
    sa.Column("discount", Micros(), nullable=False),
    sa.Column("shipping_cost", Micros(), nullable=False),
    sa.Column("tax", Micros(), nullable=False),
    sa.Column("total", Micros(), nullable=False),
    sa.Column("canceled_subtotal", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_discount", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_shipping_cost", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_tax", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_total", Micros(), nullable=False, server_default="0"),
    sa.Column("gratuity", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_gratuity", Micros(), nullable=False, server_default="0"),
    sa.Column("included_tax", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_included_tax", Micros(), nullable=False, server_default="0"),
    sa.Column("tax_exemptions", Json(), nullable=True),
    sa.Column("fees", Json(), nullable=False, server_default="[]"),
    sa.Column("fee_total", Micros(), nullable=False, server_default="0"),
    sa.Column("canceled_fee_total", Micros(), nullable=False, server_default="0"),
    sa.Column("shipping_cost_override", Micros(), nullable=True),
    sa.Column("tax_override", Micros(), nullable=True),
    sa.Column("shipping_address_id", sa.String(100), nullable=False),
    sa.Column("shipping_address", Json(), nullable=True),
    sa.Column("billing_address_id", sa.String(100), nullable=False),
    sa.Column("billing_address", Json(), nullable=True),
    sa.Column("comments", sa.String(2_000), nullable=False),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("submission", Json(), nullable=True),
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("holds", Json(), nullable=True),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    sa.Column("submit_time", UtcTime(), nullable=True),
    sa.Column("approve_time", UtcTime(), nullable=True),
    sa.Column("decline_time", UtcTime(), nullable=True),
    sa.Column("forward_time", UtcTime(), nullable=True),
    sa.Column("complete_time", UtcTime(), nullable=True),
    sa.Column("cancel_time", UtcTime(), nullable=True),
    # What the supplier of a supplier order is paid; null on buyer orders and where that is not known.
    sa.Column("cost", Micros(), nullable=True),
    sa.Column("source_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("document", sa.LargeBinary, nullable=True),
    # When it entered its sub-status; null without one.
    sa.Column("sub_status_time", UtcTime(), nullable=True),
    sa.UniqueConstraint("kind", "id"),
    sa.Index("ix_orders_buyer", "buyer_id", "create_time"),
    sa.Index("ix_orders_supplier", "supplier_id", "create_time"),
    sa.Index("ix_orders_listed", "kind", "create_time", "key"),
    sa.Index("ix_orders_submitted", "submit_time"),
    sa.Index("ix_orders_held", "create_time", sqlite_where=sa.text("held = 1"), postgresql_where=sa.text("held")),
    sa.Index(
        "ix_orders_carts",
        *("user_id", "buyer_id", "create_time", "key"),
        sqlite_where=sa.text("status = 'UNSUBMITTED' AND guest = 0"),
        postgresql_where=sa.text("status = 'UNSUBMITTED' AND NOT guest"),
    ),
    sa.Index("ix_orders_left", "guest", "update_time", "key", sqlite_where=_LEFT, postgresql_where=_LEFT),
    sa.Index("ix_orders_sub_status", "sub_status", sqlite_where=MARKED, postgresql_where=MARKED),
    sa.Index("ix_orders_empty", "update_time", "key", sqlite_where=_EMPTY, postgresql_where=_EMPTY),
)
"""Buyer orders, and what has been reported of supplier orders: `document` is the report. Kinds: BUYER, SUPPLIER, and MOVED
for the implicit supplier order of an order that was forwarded, which nobody lists."""

SUB_STATUSES = resource_table(
    METADATA,
    "order_sub_statuses",
    sub_statuses.SUB_STATUS,
    sa.Index(
        "ix_order_sub_statuses_initial",
        "status",
        unique=True,
        sqlite_where=sa.text("initial = 1"),
        postgresql_where=sa.text("initial"),
    ),
)
INITIAL_SUB_STATUSES = (
    sa.select(sa.func.aggregate_strings(SUB_STATUSES.c.status + " " + SUB_STATUSES.c.id, ","))
    .where(SUB_STATUSES.c.initial)
    .scalar_subquery()
    .label("initial_sub_statuses")
)
"""Read together with an order that may change its status: it costs no statement of its own."""

DELETED_ORDERS = sa.Table(
    "deleted_orders",
    METADATA,
    sa.Column("key", sa.Uuid(), primary_key=True),
    sa.Column("id", sa.String(100), nullable=False, index=True),
    sa.Column("buyer_id", sa.String(100), nullable=False),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("created_by", sa.String(100), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("delete_time", UtcTime(), nullable=False),
    sa.Column("body", Json(), nullable=True),
    # Whether payment is still to be asked to remove what it has of the order.
    sa.Column("payments_left", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index("ix_deleted_orders_bodies", "delete_time", "key", sqlite_where=_WITH_BODY, postgresql_where=_WITH_BODY),
    sa.Index("ix_deleted_orders_left", "delete_time", "key", sqlite_where=_PAYMENTS_LEFT, postgresql_where=_PAYMENTS_LEFT),
)
"""What the feed needs of orders that are gone: whose they were, and until it is forgotten the last body. Their events stay."""

CARTS = sa.Table(
    "carts",
    METADATA,
    sa.Column("buyer_id", sa.String(100), primary_key=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("pinned", sa.Boolean, nullable=False),
)
"""The order that a user has pinned as its cart, or else the last one that was made by adding to a cart that was not there:
whoever makes one writes the row, so that of two at the same time one is made."""

LINE_ITEMS = sa.Table(
    "line_items",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("product_id", sa.String(100), nullable=False),
    sa.Column("variant_id", sa.String(100), nullable=False, server_default=""),
    sa.Column("choices", Json(), nullable=False, server_default="[]"),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("product", Json(), nullable=False),
    sa.Column("unit_price", Micros(), nullable=False),
    sa.Column("subtotal", Micros(), nullable=False),
    sa.Column("discount", Micros(), nullable=False),
    sa.Column("discounts", Json(), nullable=False, server_default="[]"),
    sa.Column("line_mark_up", Micros(), nullable=False, server_default="0"),
    sa.Column("price_steps", Json(), nullable=False, server_default="[]"),
    sa.Column("tax", Micros(), nullable=False),
    sa.Column("tax_rate", sa.String(40), nullable=False),
    sa.Column("price_schedule_id", sa.String(100), nullable=False),
    sa.Column("unit_price_override", Micros(), nullable=True),
    sa.Column("discount_override", Micros(), nullable=True),
    sa.Column("shipping_address_id", sa.String(100), nullable=False),
    sa.Column("shipping_address", Json(), nullable=True),
    sa.Column("pickup_location_id", sa.String(100), nullable=False),
    sa.Column("inventory_record_id", sa.String(100), nullable=False),
    sa.Column("quantity_shipped", sa.BigInteger, nullable=False),
    sa.Column("quantity_canceled", sa.BigInteger, nullable=False),
    sa.Column("date_needed", UtcTime(), nullable=True),
    sa.Column("cost_center", sa.String(100), nullable=False, server_default=""),
    sa.Column("shipping_account", sa.String(100), nullable=False, server_default=""),
    sa.Column("comments", sa.String(2_000), nullable=False, server_default=""),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("tax_included", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("included_tax", Micros(), nullable=False, server_default="0"),
    sa.Column("quantity_backordered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expected_time", UtcTime(), nullable=True),
)

WORKSHEETS = sa.Table(
    "worksheets",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("body", Json(), nullable=False),
)

SUBMISSIONS = sa.Table(
    "submissions",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False, server_default="SUBMIT"),
    sa.Column("state", sa.String(20), nullable=False),
    # What an accepted one has led to: OPENED, CHANGED or AWAITING_APPROVAL.
    sa.Column("outcome", sa.String(20), nullable=False, server_default=""),
    # What a change is to do, and once it is decided what it cancels.
    sa.Column("change", Json(), nullable=True),
    # The round of approvals that a submit begins, or the approvals that are given by one of kind APPROVE.
    sa.Column("approval", Json(), nullable=True),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("caller", Json(), nullable=False),
    sa.Column("reasons", Json(), nullable=False),
    sa.Column("new_payments", Json(), nullable=False),
    sa.Column("begin_time", UtcTime(), nullable=False),
    sa.Column("deadline", UtcTime(), nullable=False),
    sa.Column("decide_time", UtcTime(), nullable=True),
    sa.Column("next_action_time", UtcTime(), nullable=False),
    *retries.columns(),
)
sa.Index(
    "uq_submissions_unfinished",
    SUBMISSIONS.c.order_key,
    unique=True,
    sqlite_where=sa.text("state = 'TRYING'"),
    postgresql_where=sa.text("state = 'TRYING'"),
)
sa.Index(
    "ix_submissions_due",
    SUBMISSIONS.c.next_action_time,
    sqlite_where=sa.text("NOT finished"),
    postgresql_where=sa.text("NOT finished"),
)

CANCELLATIONS = sa.Table(
    "cancellations",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("caller", Json(), nullable=False),
    sa.Column("comment", sa.String(2_000), nullable=False),
    sa.Column("begin_time", UtcTime(), nullable=True),
    sa.Column("next_action_time", UtcTime(), nullable=False),
    *retries.columns(),
)

HOLD_COMMANDS = sa.Table(
    "hold_commands",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("begin_time", UtcTime(), nullable=False),
    sa.Column("next_action_time", UtcTime(), nullable=False, index=True),
    *retries.columns(),
)
"""Decisions about holds that fulfillment does not have yet; a row is gone once it has it."""

CAPTURES = sa.Table(
    "shipped_captures",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key"), primary_key=True),
    sa.Column("value", Micros(), nullable=False),
    # The highest value so far: what goes back to be supplied by others takes its share of the shipping with it.
    sa.Column("most", Micros(), nullable=False),
    # How often the value has changed.
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("begin_time", UtcTime(), nullable=False),
    # Null once payment has taken all of it.
    sa.Column("next_action_time", UtcTime(), nullable=True, index=True),
    *retries.columns(),
)
"""What the payments of orders that are captured on shipment have to have taken: what has shipped so far, at its newest report."""

SHIPMENTS = sa.Table(
    "order_shipments",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("shipment_key", sa.String(100), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
)
"""Shipments as last reported, once for every order that they hold units of; the document is empty once they hold none."""

EVENTS = event_table(
    METADATA,
    "order_events",
    # The call that made the event; empty for background work.
    sa.Column("client_id", sa.String(100), nullable=False, server_default=""),
    sa.Column("request_id", sa.String(200), nullable=False, server_default=""),
    sa.Column("impersonator_id", sa.String(100), nullable=False, server_default=""),
)
FEED_EPOCHS = epoch_table(METADATA, "order_feed_epochs")

APPROVAL_RULES = resource_table(METADATA, "approval_rules", APPROVAL_RULE)

APPROVAL_ROUNDS = sa.Table(
    "approval_rounds",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    # The submit that began it, with its user, that user's groups, the rules and the order as they were.
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.String(100), nullable=False),
    *(sa.Column(name, Json(), nullable=False) for name in ("groups", "rules")),
    sa.Column("subject", sa.LargeBinary, nullable=False),
    sa.Column("begin_time", UtcTime(), nullable=False),
)

APPROVALS = sa.Table(
    "approvals",
    METADATA,
    sa.Column("order_key", sa.Uuid(), sa.ForeignKey("orders.key", ondelete="CASCADE"), primary_key=True),
    sa.Column("round", sa.BigInteger, primary_key=True),
    sa.Column("rule_id", sa.String(100), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("group_id", sa.String(100), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("auto", sa.Boolean, nullable=False),
    sa.Column("error", sa.String(1_000), nullable=False),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("comment", sa.String(2_000), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("complete_time", UtcTime(), nullable=True),
    sa.Index("ix_approvals_pending", "group_id", "create_time", "order_key", sqlite_where=_PENDING, postgresql_where=_PENDING),
)

NAMES: Mapping[sa.Column[Any], Iterable[str]] = {
    ORDERS.c.kind: ("BUYER", "SUPPLIER", "MOVED"),
    ORDERS.c.status: OrderStatus,
    SUBMISSIONS.c.kind: ("SUBMIT", "CHANGE", "APPROVE"),
    SUBMISSIONS.c.state: ("TRYING", "ACCEPTED", "REFUSED"),
    SUBMISSIONS.c.outcome: ("", "OPENED", "CHANGED", "AWAITING_APPROVAL"),
    APPROVALS.c.status: ApprovalStatus,
    CANCELLATIONS.c.state: ("FREEZING", "DECIDED", "FINISHED"),
}
"""Columns of names that the software gives, and the names."""
