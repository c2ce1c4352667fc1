"""What suppliers may do, read from the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.among import among
from services.catalog.adapters.db.tables import PRODUCTS, SUPPLIER_PERMISSIONS, supplied_by
from services.catalog.domain.suppliers.supply import Permission, Supplied, sets_prices

_P = SUPPLIER_PERMISSIONS.c
_OF = sa.select(SUPPLIER_PERMISSIONS).where(_P.supplier_id == sa.bindparam("supplier", type_=sa.String)).order_by(_P.catalog_id)


class SqlPermissionStore:
    """One statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of(self, supplier_id: str) -> list[Permission]:
        """Those of a supplier, by catalog; nobody changes or ends them until the transaction ends."""
        rows = await self._tx.execute(_OF.with_for_update(read=True), {"supplier": supplier_id})
        return [_permission(row) for row in rows]


class SqlSuppliedProducts:
    """Two statements, however many products are asked about."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, supplier_id: str, product_ids: Collection[str]) -> Supplied:
        """What the supplier may do with these products."""
        c = PRODUCTS.c
        mine = sa.select(c.id, c.owner_supplier_id).where(among(self._db.dialect, c.id, product_ids), supplied_by(supplier_id))
        async with self._db.reading() as tx:
            permissions = [_permission(row) for row in await tx.execute(_OF, {"supplier": supplier_id})]
            rows = (await tx.execute(mine)).all() if product_ids else []
        owned = [row.id for row in rows if row.owner_supplier_id == supplier_id]
        return Supplied(sets_prices(permissions), owned, [row.id for row in rows])


def _permission(row: Any) -> Permission:
    return Permission.of(row.catalog_id, row.needs_approval, row.writable_fields, row.may_set_prices)
