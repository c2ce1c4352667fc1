"""At which versions orders of some ids stand, for the reads that wait for one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import sqlalchemy as sa

from libs.db import Database
from libs.db.among import among
from libs.ids import valid_numbered_id
from services.order.adapters.db.tables import ORDERS
from services.order.application.reading.read_orders import Standing

O = ORDERS.c  # noqa: E741 - the columns


class OrderVersions:
    """Fulfils `libs.relay.awaited.Standings`. What a caller may see is none of its matter: it says nothing to anybody."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def read(self, ids: Collection[str]) -> Mapping[str, Standing]:
        """One statement for any number of ids."""
        there = among(self._db.dialect, O.id, [id for id in ids if valid_numbered_id(id)])
        statement = sa.select(O.id, O.kind, O.source_version).where(O.kind.in_(["BUYER", "SUPPLIER"]), there)
        found: dict[str, Standing] = {}
        async with self._db.reading() as tx:
            for row in await tx.execute(statement):
                known = found.get(row.id, Standing())
                new = replace(known, bought=True) if row.kind == "BUYER" else replace(known, version=row.source_version)
                found[row.id] = new
        return found

    def ring(self, bell: Callable[[], None]) -> None:
        """After every commit with reports of supplier orders."""
        self._db.on_commit(ORDERS, bell)
