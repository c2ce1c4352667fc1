"""Nobody guesses: a reservation past its time asks the order service, which decides."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from libs.obs import get_logger, tracing
from libs.service.loops import Pace, one_by_one
from services.pricing import metrics
from services.pricing.application.calculation.reserve_redemptions import Redemptions
from services.pricing.application.ports import Decisions, Units

_LOG = get_logger("pricing.reservations")
_ENDS = {"ACCEPTED": "CONFIRMED", "REFUSED": "RELEASED"}


class ExpireReservations:
    """A background loop, safe in every replica: ends are conditional."""

    def __init__(self, units: Units, redemptions: Redemptions, decisions: Decisions, clock: Clock, pace: Pace) -> None:
        self._units = units
        self._redemptions = redemptions
        self._decisions = decisions
        self._clock = clock
        self._pace = pace

    async def once(self) -> int:
        """Asks about every reservation past its time; returns how many were ended."""
        async with self._units.reading() as work:
            due = await work.reservations.expired(self._clock.now(), self._pace.batch)
        return await one_by_one(due, lambda found: self._ask(*found), _LOG, self._pace.tries)

    async def _ask(self, key: uuid.UUID, attempt: int) -> bool:
        with tracing.work("pricing", "expire reservation", order=str(key)):
            decision = await self._decisions.resolve(key, attempt)
        if decision not in _ENDS:
            return False
        await self._redemptions.end(key, attempt, _ENDS[decision])
        metrics.REDEMPTIONS_ENDED[_ENDS[decision]].inc()
        return True
