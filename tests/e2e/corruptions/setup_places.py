"""Rows of directory, catalog, pricing and shipping that matter for the walk, and what their columns are changed to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.catalog.adapters.db import tables as catalog
from services.directory.adapters.db import tables as directory
from services.pricing.adapters.db import tables as pricing
from services.shipping.adapters.db import tables as shipping
from tests.e2e.corruptions.books import OPEN
from tests.e2e.corruptions.places import of, of_order, to
from tests.e2e.corruptions.walk import Place, Places


def named_by(id: sa.Column[Any], reference: sa.Column[Any]) -> Any:
    """Rows that another row names."""
    return lambda _: sa.exists().where(reference == id).correlate(id.table)


def _recorded(requests: sa.Table, method: str) -> Place:
    return Place(lambda _: requests.c.method.like(f"%/{method}"), to({"ids": ["nowhere"]}))


DIRECTORY: Places = {
    "users": Place(of(directory.USERS.c.id, "gil")),
    "users.username": Place(changes=to("Somebody Else")),
    "users.roles": Place(changes=to(["Emperor"])),
    "users.party": Place(changes=to("BUYER:gone")),
    **{
        f"users.{name}": Place(named_by(directory.USERS.c.id, directory.CLIENTS.c.default_user_id), to("nobody"))
        for name in ("id", "-")
    },
    "buyers.currency": Place(changes=to("ZZZ")),
    "buyers.tax_exemptions": Place(changes=to([{"country": "ZZ", "certificate_id": "C-1"}])),
    "sellers.singleton": Place(changes=to(False)),
    "api_clients.buyer_ids": Place(changes=to(["nobody"])),
    "api_clients.supplier_ids": Place(changes=to(["nobody"])),
    "api_clients.access_token_minutes": Place(changes=to(1)),
    "api_clients.refresh_token_minutes": Place(changes=to(-1)),
    "api_clients.roles": Place(changes=to(["Emperor"])),
    "api_clients.policy": Place(changes=to({"sourcing_strategy": "dice"})),
    "api_clients.default_user_id": Place(changes=to("nobody")),
    "api_clients.allowed_origins": Place(changes=to(["*"])),
    "api_clients.anonymous_user_id": Place(changes=to("nobody")),
    "api_clients.anonymous_token_minutes": Place(changes=to(1)),
    "api_clients.registration_buyer_id": Place(changes=to("nobody")),
    "api_clients.has_secret": Place(of(directory.CLIENTS.c.id, "waybill-admin")),
    "client_secrets.client_id": Place(changes=to("shop")),
    "addresses.party": Place(changes=to("BUYER:gone")),
    "addresses.user_id": Place(changes=to("nobody")),
    **{
        f"addresses.{name}": Place(named_by(directory.ADDRESSES.c.id, directory.ADDRESS_ASSIGNMENTS.c.address_id))
        for name in ("id", "-")
    },
    "address_assignments.user_id": Place(changes=to("nobody")),
    "address_assignments.user_group_id": Place(changes=to("nobody")),
    "cost_centers.buyer_id": Place(changes=to("gone")),
    "cost_center_assignments.user_id": Place(changes=to("nobody")),
    "cost_center_assignments.user_group_id": Place(changes=to("nobody")),
    "signing_keys.private_pem": Place(
        lambda _: directory.SIGNING_KEYS.c.retire_time.is_(None), to("-----BEGIN PRIVATE KEY-----")
    ),
    "signing_keys": Place(lambda _: directory.SIGNING_KEYS.c.retire_time.is_(None)),
    "requests.outcome": _recorded(directory.REQUESTS, "BatchCreateUsers"),
}
CATALOG: Places = {
    "products": Place(of(catalog.PRODUCTS.c.id, "crate")),
    "products.tax_class": Place(changes=to("")),
    "products.supplier_ids": Place(changes=to(["wh-west", "wh-west"])),
    "products.quantity_multiplier": Place(changes=to(0)),
    **{f"products.{name}": Place(changes=to("-1")) for name in ("weight_kg", "length_cm", "width_cm", "height_cm")},
    "products.owner_supplier_id": Place(
        of(catalog.PRODUCTS.c.id, "lantern"), {"another": lambda _: "northforge", "nobody": lambda _: ""}
    ),
    "supplier_permissions.writable_fields": Place(changes=to(["owner_supplier_id"])),
    "product_proposals.state": Place(changes=to("FORGOTTEN")),
    "catalogs": Place(of(catalog.CATALOGS.c.id, "trade")),
    "categories": Place(of(catalog.CATEGORIES.c.id, "forge")),
    "categories.parent_id": Place(
        of(catalog.CATEGORIES.c.id, "forge"), {"lost": lambda _: "nowhere", "below itself": lambda _: "hand-tools"}
    ),
    "categories.list_order": Place(changes=to(-1)),
    "specs.list_order": Place(changes=to(-1)),
    "product_facets.list_order": Place(changes=to(-1)),
    "product_facets.min_count": Place(changes=to(0)),
    "product_facets.xp_path": Place(changes=to("shade")),
    "catalog_products": Place(
        lambda _: sa.exists().where(
            catalog.CATEGORY_PRODUCTS.c.product_id == catalog.CATALOG_PRODUCTS.c.product_id,
            catalog.CATALOG_PRODUCTS.c.catalog_id == "trade",
        )
    ),
    "requests.outcome": _recorded(catalog.REQUESTS, "BatchCreateProducts"),
}
_ASSIGNED = named_by(pricing.SCHEDULES.c.id, pricing.ASSIGNMENTS.c.price_schedule_id)
_REDEEMED = of_order(pricing.RESERVATIONS.c.order_key, OPEN)
PRICING: Places = {
    "price_schedules": Place(_ASSIGNED),
    "price_schedules.price_breaks": Place(changes=to([[2, 1, None], [1, 2, None]])),
    "price_schedules.currency": Place(changes=to("ZZZ")),
    "price_schedules.min_quantity": Place(changes=to(-1)),
    "price_schedules.max_quantity": Place(changes=to(-1)),
    "price_schedules.owner_supplier_id": Place(changes=to("no id")),
    "price_floors.product_id": Place(changes=to("no id")),
    "price_floors.currency": Place(changes=to("ZZZ")),
    "price_floors.unit_price": Place(changes=to(-1)),
    "cost_schedules.price_breaks": Place(changes=to([[2, 1, None], [1, 2, None]])),
    "cost_schedules.supplier_id": Place(changes=to("no id")),
    "cost_schedules.product_id": Place(changes=to("no id")),
    "cost_schedules.currency": Place(changes=to("ZZZ")),
    "price_assignments.price_schedule_id": Place(changes=to("nowhere")),
    "promotions": Place(named_by(pricing.PROMOTIONS.c.id, pricing.PROMOTION_ASSIGNMENTS.c.promotion_id)),
    "promotions.supplier_id": Place(changes=to("no id")),
    "promotions.code": Place(changes=to("a b")),
    "promotions.target": Place(changes=to("EVERYTHING")),
    "promotions.eligible_expression": Place(changes=to("order.nothing")),
    "promotions.value_expression": Place(changes=to("true")),
    "promotions.priority": Place(changes=to(-1)),
    **{
        f"promotions.{name}": Place(changes=to(0))
        for name in ("redemption_limit", "redemption_limit_per_user", "quantity_limit_per_order", "item_limit_per_order")
    },
    "promotions.item_order": Place(changes=to("price")),
    "promotions.api_client_ids": Place(changes=to(["no id"])),
    "promotion_assignments.promotion_id": Place(changes=to("nowhere")),
    "tax_rates.rate": Place(changes=to("1.5")),
    "tax_rates.country": Place(changes=to("ZZ")),
    "tax_rates.postal_prefix": Place(changes=to("a-1")),
    "tax_rates.tax_class": Place(changes=to("STANDARD")),
    "redemption_reservations": Place(_REDEEMED),
    "redemption_reservations.state": Place(_REDEEMED, {"lost": lambda _: "LOST", "held again": lambda _: "RESERVED"}),
    "requests.outcome": _recorded(pricing.REQUESTS, "BatchCreatePriceSchedules"),
}
_S = shipping
SHIPPING: Places = {
    "carriers": Place(named_by(_S.CARRIERS.c.id, _S.SHIP_METHODS.c.carrier_id)),
    "zones": Place(named_by(_S.ZONES.c.id, _S.RATE_TABLES.c.zone_id)),
    "zones.destinations": Place(changes=to([{"country": "ZZ"}])),
    "ship_methods": Place(named_by(_S.SHIP_METHODS.c.id, _S.RATE_TABLES.c.ship_method_id)),
    "ship_methods.carrier_id": Place(changes=to("nowhere")),
    "ship_methods.min_lead_time": Place(changes=to(-1)),
    "ship_methods.max_lead_time": Place(changes=to(-1)),
    "ship_method_assignments.ship_method_id": Place(changes=to("nowhere")),
    "rate_tables.ship_method_id": Place(changes=to("nowhere")),
    "rate_tables.zone_id": Place(changes=to("nowhere")),
    "rate_tables.currency": Place(changes=to("ZZZ")),
    "rate_tables.handling": Place(changes=to(-1)),
    "rate_tables.rows": Place(changes=to([])),
    "rate_tables.min_lead_time": Place(changes=to(-1)),
    "rate_tables.max_lead_time": Place(changes=to(-1)),
    "grouping_rules.priority": Place(changes=to(-1)),
    "grouping_rules.match": Place(changes=to({"product_ids": ["no id"]})),
    "grouping_rules.grouping": Place(changes=to("PILED")),
    "requests.outcome": _recorded(_S.REQUESTS, "CreateZone"),
}
