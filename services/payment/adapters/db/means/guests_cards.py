"""Cards that guests noted and never used."""

from __future__ import annotations

from datetime import timedelta

from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.payment.adapters.db.means.means_store import SqlMeansStore

SWEPT_AT_ONCE = 500


def sweeping(database: Database, clock: Clock, kept: timedelta, pause: float) -> Loop:
    """A background loop that removes cards of guests that no payment names and that nobody has changed for so long; safe in every
    replica. A card goes with its order where there is one: this is for guests who never had an order."""

    async def sweep() -> None:
        now = clock.now()

        async def some(tx: Tx) -> int:
            return await SqlMeansStore(tx).sweep_guests_cards(now - kept, now, SWEPT_AT_ONCE)

        while await database.retrying(some) >= SWEPT_AT_ONCE:
            pass

    return Loop("sweep_guests_cards", sweep, pause, min(pause, 60.0))
