"""Tables of the catalog."""

from __future__ import annotations

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.auth import PartyKind, Principal
from libs.db import metadata
from libs.idempotency import outcomes, tombstones
from libs.relay.changes import change_tables
from libs.resource.database import Resource, resource_table
from services.catalog.contract import resources

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
CHANGES = change_tables(METADATA)
AUDIT = audit_table(METADATA)

PRODUCTS = resource_table(METADATA, "products", resources.PRODUCT)


def visible(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller, and a service whoever it calls for, see every product; buyers active ones; suppliers also their own others."""
    if caller.service is not None or caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is PartyKind.SUPPLIER:
        return sa.or_(PRODUCTS.c.active, PRODUCTS.c.default_supplier_id == caller.party_id)
    return PRODUCTS.c.active


PRODUCT = Resource(resources.PRODUCT, PRODUCTS, visible)

MADE = {"CreateProduct": PRODUCTS, "BatchCreateProducts": PRODUCTS}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
