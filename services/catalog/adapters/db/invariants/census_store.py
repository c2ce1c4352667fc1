"""Reads every product for the inspection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from services.catalog.adapters.db.tables import PRODUCTS
from services.catalog.domain.product import MEASURES, StoredProduct

PART = 5_000
"""Products in memory at a time."""


class CensusReader:
    """`CensusStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> AsyncIterator[Sequence[StoredProduct]]:
        """One snapshot, in parts by id."""
        c = PRODUCTS.c
        names = ("id", "default_supplier_id", "supplier_ids", "quantity_multiplier", *MEASURES)
        statement = sa.select(*(c[name] for name in names)).order_by(c.id).limit(PART)
        last = ""
        async with self._db.inspecting() as tx:
            while rows := (await tx.execute(statement.where(c.id > last))).all():
                last = rows[-1].id
                yield [_stored(row) for row in rows]


def _stored(row: Any) -> StoredProduct:
    measures = [getattr(row, name) for name in MEASURES]
    return StoredProduct(row.id, row.default_supplier_id, row.supplier_ids, row.quantity_multiplier, measures)
