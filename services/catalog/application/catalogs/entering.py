"""How products come into catalogs: the seller puts them there; what a supplier puts may have to wait for the seller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.errors import precondition
from services.catalog.application.ports import CatalogWork
from services.catalog.domain.catalogs.assignment import CATALOG_PRODUCT, PRODUCT_PROPOSAL, Row
from services.catalog.domain.suppliers.supply import PENDING, Permission
from waybill.catalog.v1 import reasons


async def admitted(work: CatalogWork, supplier_id: str) -> Sequence[Permission]:
    """What the supplier may do; raises `SUPPLIER_NOT_ADMITTED` when it has no permission at all."""
    permissions = await work.permissions.of(supplier_id)
    if not permissions:
        text = "the seller has given the supplier no permission for any catalog"
        raise precondition(reasons.SUPPLIER_NOT_ADMITTED, text, supplier=supplier_id)
    return permissions


async def enter(
    work: CatalogWork, rows: Sequence[Row], permissions: Sequence[Permission], now: datetime, *, follows: bool = False
) -> None:
    """Puts products, which are locked, into catalogs; proposes those that need approval and do not stand there yet."""
    waiting = {permission.catalog_id for permission in permissions if permission.needs_approval}
    asked = [CATALOG_PRODUCT.key(row) for row in rows if row["catalog_id"] in waiting]
    direct = [row for row in rows if row["catalog_id"] not in waiting]
    if asked:
        standing = await work.assignments.standing(CATALOG_PRODUCT, asked)
        proposed: list[Row] = [
            {"catalog_id": catalog, "product_id": product, "state": PENDING, "comment": ""}
            for catalog, product in asked
            if (catalog, product) not in standing
        ]
        if proposed:
            await work.assignments.put(PRODUCT_PROPOSAL, proposed, now, follows=follows)
    if direct:
        await work.assignments.remove(PRODUCT_PROPOSAL, [CATALOG_PRODUCT.key(row) for row in direct], now, follows=True)
        await work.assignments.put(CATALOG_PRODUCT, direct, now, follows=follows)
