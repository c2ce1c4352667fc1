"""Tables of the catalog."""

from __future__ import annotations

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.db import metadata
from libs.idempotency import outcomes
from libs.resource import Resource, decimal, flag, integer, ref, refs, resource_table, text, xp
from services.catalog.domain import product
from waybill.catalog.v1 import product_pb2

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)

_ATTRIBUTES = (
    text("name", 100, required=True),
    text("description", 2_000),
    flag("active"),
    ref("default_supplier_id"),
    refs("supplier_ids", product.MAX_SUPPLIERS),
    ref("ship_from_address_id", index=False),
    flag("shippable"),
    flag("track_inventory"),
    text("tax_class", 100, default="standard"),
    integer("quantity_multiplier", 1, 1_000_000, default=1),
    decimal("weight_kg"),
    decimal("length_cm"),
    decimal("width_cm"),
    decimal("height_cm"),
    xp(),
)
PRODUCTS = resource_table(METADATA, "products", _ATTRIBUTES)
PRODUCT = Resource("product", product_pb2.Product, PRODUCTS, _ATTRIBUTES, prefix="prd", check=product.check)


def visible(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Services and the seller see every product; buyers active ones; suppliers also their own inactive ones."""
    if caller.service is not None or caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is PartyKind.SUPPLIER:
        return sa.or_(PRODUCTS.c.active, PRODUCTS.c.default_supplier_id == caller.party_id)
    return PRODUCTS.c.active


MADE = {"CreateProduct": PRODUCTS, "BatchCreateProducts": PRODUCTS}
"""By the method that makes it: what is never deleted again, so that the id in a recorded outcome leads somewhere."""
