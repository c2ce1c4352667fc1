"""What suppliers may do, read from the database."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import Tx
from services.catalog.adapters.db.tables import SUPPLIER_PERMISSIONS
from services.catalog.domain.supply import Permission

_P = SUPPLIER_PERMISSIONS.c
_OF = (
    sa.select(SUPPLIER_PERMISSIONS)
    .where(_P.supplier_id == sa.bindparam("supplier", type_=sa.String))
    .order_by(_P.catalog_id)
    .with_for_update(read=True)
)


class SqlPermissionStore:
    """One statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of(self, supplier_id: str) -> list[Permission]:
        """Those of a supplier, by catalog; nobody changes or ends them until the transaction ends."""
        rows = await self._tx.execute(_OF, {"supplier": supplier_id})
        return [Permission.of(row.catalog_id, row.needs_approval, row.writable_fields) for row in rows]
