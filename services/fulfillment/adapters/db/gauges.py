"""What is on its way in fulfillment, for its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database
from libs.obs.metrics import Reading
from services.fulfillment import metrics
from services.fulfillment.adapters.db.tables import reservations, shipments, supplier_orders

_LIVE = ("OPEN", "ACCEPTED", "FROZEN")


class Gauges:
    """Counts what waits; indexes over what is unfinished answer, however much is done."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def __call__(self) -> Sequence[Reading]:
        """The readings now."""
        held = (
            sa.select(reservations.c.state, sa.func.count().label("found"))
            .where(reservations.c.check_time.is_not(None))
            .group_by(reservations.c.state)
        )
        async with self._db.reading() as tx:
            waiting = [(await tx.execute(_unreported(table))).one() for table in (supplier_orders, shipments)]
            unclaimed = sa.select(sa.func.count()).where(supplier_orders.c.unclaimed, supplier_orders.c.status.in_(_LIVE))
            left = (await tx.execute(unclaimed)).scalar_one()
            states = {"RESERVED": 0} | {row.state: row.found for row in await tx.execute(held)}
        now = self._clock.now()
        oldest = min((row.oldest for row in waiting if row.oldest is not None), default=now)
        return [
            metrics.REPORTS.at(sum(row.found for row in waiting)),
            metrics.REPORTS_PARKED.at(sum(row.parked for row in waiting)),
            metrics.UNCLAIMED.at(left),
            metrics.REPORTS_AGE.at(max((now - oldest).total_seconds(), 0.0)),
            *(metrics.RESERVATIONS.at(count, "fulfillment", state) for state, count in states.items()),
        ]


def _unreported(table: sa.Table) -> sa.Select[*tuple[Any, ...]]:
    c = table.c
    return sa.select(
        sa.func.count().label("found"),
        sa.func.count(c.report_parked_time).label("parked"),
        sa.func.min(c.update_time).label("oldest"),
    ).where(c.report_time.is_not(None))
