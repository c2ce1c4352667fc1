"""Cost schedules in the database."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from services.pricing.adapters.db.tables import COSTS
from services.pricing.domain.schedules.cost import CostsByProduct, Spot
from services.pricing.domain.schedules.schedule import Break, Schedule

_C = COSTS.c


class SqlCostStore:
    """Reads, one statement each."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def spots(self, products: Collection[str]) -> set[Spot]:
        """Where these products have cost schedules."""
        statement = sa.select(_C.supplier_id, _C.product_id, _C.currency)
        rows = await self._tx.execute(statement.where(among(self._tx.dialect, _C.product_id, products)))
        return {(row.supplier_id, row.product_id, row.currency) for row in rows}

    async def of(self, products: Collection[str], suppliers: Collection[str], currency: str) -> CostsByProduct:
        """The schedules of these products at these suppliers, in the currency."""
        statement = sa.select(COSTS).where(
            among(self._tx.dialect, _C.product_id, products),
            among(self._tx.dialect, _C.supplier_id, suppliers),
            _C.currency == currency,
        )
        return {
            (row.product_id, row.supplier_id): Schedule(
                id=row.id,
                currency=row.currency,
                breaks=tuple(Break(*item) for item in row.price_breaks),
                sale_start=row.sale_start_time,
                sale_end=row.sale_end_time,
            )
            for row in await self._tx.execute(statement)
        }

    async def costed(self, supplier: str, products: Collection[str]) -> set[str]:
        """Those of the products that the supplier has a cost schedule for."""
        statement = sa.select(_C.product_id).where(_C.supplier_id == supplier, among(self._tx.dialect, _C.product_id, products))
        return set((await self._tx.execute(statement)).scalars())
