"""Tables of pricing."""

from __future__ import annotations

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.auth import PartyKind, Principal
from libs.db import UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.relay.changes import change_tables
from libs.resource.database import Resource, UsedBy, resource_table
from libs.service import retries
from services.pricing.contract import promotions, resources

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
CHANGES = change_tables(METADATA)
AUDIT = audit_table(METADATA)
SCHEDULES = resource_table(METADATA, "price_schedules", resources.SCHEDULE)
ASSIGNMENTS = sa.Table(
    "price_assignments",
    METADATA,
    sa.Column("product_id", sa.String(100), primary_key=True),
    sa.Column("buyer_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True),
    sa.Column("variant_id", sa.String(100), primary_key=True),
    sa.Column("price_schedule_id", sa.String(100), sa.ForeignKey("price_schedules.id"), nullable=False),
    sa.Index("ix_price_assignments_price_schedule_id", "price_schedule_id", "product_id"),
)


def visible(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller has every schedule, a supplier those that it has made."""
    return SCHEDULES.c.owner_supplier_id == caller.party_id if caller.party_kind is PartyKind.SUPPLIER else None


SCHEDULE = Resource(
    resources.SCHEDULE,
    SCHEDULES,
    visible,
    uses=[UsedBy.column("product", ASSIGNMENTS.c.product_id, ASSIGNMENTS.c.price_schedule_id)],
)
FLOORS = resource_table(
    METADATA, "price_floors", resources.FLOOR, sa.Index("ix_price_floors_product_id", "product_id", "currency", unique=True)
)
FLOOR = Resource(resources.FLOOR, FLOORS)
COSTS = resource_table(
    METADATA,
    "cost_schedules",
    resources.COST,
    sa.Index("ix_cost_schedules_product_id", "product_id", "supplier_id", "currency", unique=True),
)


def own_costs(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller sees every cost schedule, a supplier what it is paid itself, a buyer none."""
    if caller.is_seller:
        return None
    return COSTS.c.supplier_id == caller.party_id if caller.party_kind is PartyKind.SUPPLIER else sa.false()


COST = Resource(resources.COST, COSTS, own_costs)
TAX_RATES = resource_table(
    METADATA, "tax_rates", resources.TAX_RATE, sa.Index("ix_tax_rates_place", "country", "tax_class", "postal_prefix")
)
TAX_RATE = Resource(resources.TAX_RATE, TAX_RATES)
ACTIVE_CODE = sa.text("active AND code <> ''")
AUTOMATIC = sa.text("active AND auto_apply")
PROMOTIONS = resource_table(
    METADATA,
    "promotions",
    promotions.PROMOTION,
    sa.Index("ix_promotions_code", "code", "supplier_id", unique=True, sqlite_where=ACTIVE_CODE, postgresql_where=ACTIVE_CODE),
    sa.Index("ix_promotions_automatic", "priority", "id", sqlite_where=AUTOMATIC, postgresql_where=AUTOMATIC),
)
PROMOTION_ASSIGNMENTS = sa.Table(
    "promotion_assignments",
    METADATA,
    sa.Column("promotion_id", sa.String(100), sa.ForeignKey("promotions.id"), primary_key=True),
    sa.Column("buyer_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True),
    sa.Index("ix_promotion_assignments_buyer_id", "buyer_id", "user_group_id"),
)


def own_promotions(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller has every promotion, a supplier its own, a buyer none."""
    if caller.is_seller:
        return None
    return PROMOTIONS.c.supplier_id == caller.party_id if caller.party_kind is PartyKind.SUPPLIER else sa.false()


PROMOTION = Resource(
    promotions.PROMOTION,
    PROMOTIONS,
    own_promotions,
    uses=[UsedBy.column("buyer", PROMOTION_ASSIGNMENTS.c.buyer_id, PROMOTION_ASSIGNMENTS.c.promotion_id)],
)
RESERVATIONS = sa.Table(
    "redemption_reservations",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("expire_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    *retries.columns(),
)
REDEMPTIONS = sa.Table(
    "redemptions",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True),
    sa.Column("promotion_id", sa.String(100), primary_key=True),
    sa.Column("user_key", sa.String(201), nullable=False),
)
"""What attempts use that are not given back."""
USES = sa.Table(
    "promotion_uses",
    METADATA,
    sa.Column("promotion_id", sa.String(100), primary_key=True),
    sa.Column("user_key", sa.String(201), primary_key=True),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("confirmed", sa.BigInteger, nullable=False),
)
"""The same, counted: for each user, and where the key is empty for all."""

MADE = {
    "CreatePriceSchedule": SCHEDULES,
    "BatchCreatePriceSchedules": SCHEDULES,
    "CreatePriceFloor": FLOORS,
    "BatchCreatePriceFloors": FLOORS,
    "CreateCostSchedule": COSTS,
    "BatchCreateCostSchedules": COSTS,
    "CreatePromotion": PROMOTIONS,
    "BatchCreatePromotions": PROMOTIONS,
    "CreateTaxRate": TAX_RATES,
    "BatchCreateTaxRates": TAX_RATES,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
