"""Nobody guesses: a reservation past its time asks the order service, which decides."""

from __future__ import annotations

import asyncio

from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.obs import metrics, tracing
from services.pricing.application.ports import Decisions, ReservationStore, Transactions
from services.pricing.application.reserve_redemptions import Redemptions

ROUND = 1_000
"""Most reservations asked about in one round."""
_ENDS = {"ACCEPTED": "CONFIRMED", "REFUSED": "RELEASED"}


class ExpireReservations:
    """A background loop, safe in every replica: ends are conditional."""

    def __init__(
        self, database: Transactions, reservations: ReservationStore, redemptions: Redemptions,
        decisions: Decisions, clock: Clock,
    ) -> None:  # fmt: skip
        self._db = database
        self._reservations = reservations
        self._redemptions = redemptions
        self._decisions = decisions
        self._clock = clock

    async def run(self, pause: float) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(pause)
            await self.once()

    async def once(self) -> int:
        """Asks about every reservation past its time; returns how many were ended."""
        async with self._db.reading() as tx:
            due = await self._reservations.expired(tx, self._clock.now(), ROUND)
        ended = 0
        for key, attempt in due:
            try:
                with tracing.work("pricing", "expire reservation", order=str(key)):
                    decision = await self._decisions.resolve(key, attempt)
            except WaybillError as error:
                if error.kind is Kind.UNAVAILABLE:
                    break  # The order service is away: the others would only wait as long.
                continue
            if decision in _ENDS:
                await self._redemptions.end(key, attempt, _ENDS[decision])
                metrics.REDEMPTIONS_ENDED[_ENDS[decision]].inc()
                ended += 1
        return ended
