"""Reads the whole set-up for the inspection."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from services.shipping.adapters.db.tables import ASSIGNMENTS, CARRIERS, GROUPING_RULES, RATE_TABLES, SHIP_METHODS, ZONES
from services.shipping.application.ports import Census

_ALL = (CARRIERS, ZONES, SHIP_METHODS, ASSIGNMENTS, RATE_TABLES, GROUPING_RULES)
_REFERENCES = (
    ("ship method", SHIP_METHODS, "carrier_id", CARRIERS),
    ("ship method assignment", ASSIGNMENTS, "ship_method_id", SHIP_METHODS),
    ("rate table", RATE_TABLES, "ship_method_id", SHIP_METHODS),
    ("rate table", RATE_TABLES, "zone_id", ZONES),
)


class CensusReader:
    """`CensusStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> Census:
        """One snapshot."""
        dangling: list[tuple[str, str, str]] = []
        async with self._db.reading(snapshot=True) as tx:
            counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _ALL]
            counted = (await tx.execute(sa.select(*counts))).one()
            for kind, table, name, target in _REFERENCES:
                column = table.c[name]
                lost = sa.select(table.c.id, column.label("reference")).where(
                    column != "", ~sa.exists().where(target.c.id == column)
                )
                found = (await tx.execute(lost)).mappings().all()
                dangling += [(kind, row["id"], f"{name} {row['reference']!r}") for row in found]
            rates = sa.select(RATE_TABLES.c.id, RATE_TABLES.c.rows)
            tables = (await tx.execute(rates)).mappings().all()
        rows_of = {table.name: int(number) for table, number in zip(_ALL, counted, strict=True)}
        return Census(rows_of, tuple(dangling), {row["id"]: _bounds(row["rows"]) for row in tables})


def _bounds(stored: Any) -> list[Decimal | None] | None:
    """Of every row the weight up to which it is; None when what is stored are no rows of rates."""
    try:
        return [None if row["up_to"] is None else Decimal(row["up_to"]) for row in stored]
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
