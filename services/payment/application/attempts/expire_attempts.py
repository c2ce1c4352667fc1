"""Nobody guesses: an attempt past its time asks the order service, which decides."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from libs.obs import get_logger, tracing
from libs.service.loops import Pace, one_by_one
from services.payment import metrics
from services.payment.application.attempts.end_attempt import EndAttempt
from services.payment.application.peers import Decisions
from services.payment.application.ports import Units

_LOG = get_logger("payment.attempts")


class ExpireAttempts:
    """A background loop, safe in every replica: rows are claimed, ends are conditional."""

    def __init__(self, units: Units, clock: Clock, end: EndAttempt, decisions: Decisions, pace: Pace) -> None:
        self._units = units
        self._clock = clock
        self._end = end
        self._decisions = decisions
        self._pace = pace

    async def once(self) -> int:
        """Asks about every attempt past its time; returns how many were ended."""
        now = self._clock.now()
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.attempts.any_expired(now):
                return 0
        due = await self._units.retrying(lambda work: work.attempts.claim_expired(now, now + self._pace.again, self._pace.batch))
        return await one_by_one(due, lambda found: self.ask(*found), _LOG, self._pace.tries)

    async def ask(self, key: uuid.UUID, attempt: int) -> bool:
        """Asks about one attempt and does what was decided; whether it is ended now."""
        with tracing.work("payment", "expire attempt", order=str(key)):
            decision = await self._decisions.resolve(key, attempt)
        if decision == "ACCEPTED":
            await self._end.confirm(key, attempt)
        elif decision == "REFUSED":
            await self._end.release(key, attempt)
        if decision not in metrics.PAYMENTS_ENDED:
            return False
        metrics.PAYMENTS_ENDED[decision].inc()
        return True
