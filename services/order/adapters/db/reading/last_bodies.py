"""The last bodies of orders that are gone, until they are forgotten."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.order.adapters.db.tables import DELETED_ORDERS

FORGOTTEN_AT_ONCE = 1_000
_D = DELETED_ORDERS.c


def forgetting(database: Database, clock: Clock, kept: timedelta, pause: float) -> Loop:
    """A background loop that empties bodies of orders that were deleted before `kept`; safe in every replica. The oldest go
    first, so that one that is missing beside an older one is known to be lost. Whose they were stays, as their events do."""

    async def forget() -> None:
        before = sa.literal(clock.now() - kept, _D.delete_time.type)
        old = sa.select(_D.key).where(_D.body.is_not(None), _D.delete_time < before).order_by(_D.delete_time, _D.key)

        async def some(tx: Tx) -> int:
            emptied = sa.update(DELETED_ORDERS).where(_D.key.in_(old.limit(FORGOTTEN_AT_ONCE))).values(body=sa.null())
            return int((await tx.execute(emptied)).rowcount)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_bodies", forget, pause, min(pause, 60.0))
