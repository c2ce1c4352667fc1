"""What is reserved in pricing, for its metrics."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from libs.db import Database
from libs.obs.metrics import Reading
from services.pricing import metrics
from services.pricing.adapters.db.tables import RESERVATIONS


class Gauges:
    """Counts what is neither confirmed nor released; the index over states answers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> Sequence[Reading]:
        """The readings now."""
        reserved = sa.select(sa.func.count()).where(RESERVATIONS.c.state == "RESERVED")
        async with self._db.reading() as tx:
            found = (await tx.execute(reserved)).scalar_one()
        return [metrics.RESERVATIONS.at(found, "pricing", "RESERVED")]
