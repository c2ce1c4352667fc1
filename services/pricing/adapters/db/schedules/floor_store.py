"""Floors in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.among import among
from services.pricing.adapters.db.tables import ASSIGNMENTS, FLOOR, FLOORS

_F = FLOORS.c


class SqlFloorStore:
    """Reads, one statement each."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of(self, products: Collection[str]) -> dict[tuple[str, str], int]:
        """All floors of these products."""
        statement = sa.select(_F.product_id, _F.currency, _F.unit_price)
        rows = await self._tx.execute(statement.where(among(self._tx.dialect, _F.product_id, products)))
        return {(row.product_id, row.currency): row.unit_price for row in rows}

    async def below(self, schedule_id: str, currency: str) -> Mapping[str, int]:
        """By product, the floors of what a schedule prices, for whomever."""
        a = ASSIGNMENTS.c
        priced = sa.select(a.product_id).where(a.price_schedule_id == schedule_id)
        statement = sa.select(_F.product_id, _F.unit_price).where(_F.product_id.in_(priced), _F.currency == currency)
        return {row.product_id: row.unit_price for row in await self._tx.execute(statement)}


class SqlFloorLists:
    """Reads of floors."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_products(self, product_ids: Collection[str]) -> list[Any]:
        """Of these products, by product and currency."""
        statement = sa.select(FLOORS).where(among(self._db.dialect, _F.product_id, product_ids))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement.order_by(_F.product_id, _F.currency))).mappings().all()
        return [FLOOR.shape.write(row) for row in rows]
