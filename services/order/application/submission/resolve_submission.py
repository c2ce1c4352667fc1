"""ResolveSubmission: nobody guesses what became of an attempt. This decides before it answers."""

from __future__ import annotations

import uuid

from libs.clock import Clock
from services.order.application.ports import Units
from services.order.application.submission.attempts import AWAITING_APPROVAL, timed_out
from services.order.application.submission.submit_order import SubmitOrder
from services.order.application.submission.try_submission import Tried


class ResolveSubmission:
    """TRYING before the deadline; past it an undecided attempt is REFUSED first. Unknown attempts are REFUSED for
    ever: an attempt is written before its first try, so one that is not there has no try to come."""

    def __init__(self, units: Units, submit: SubmitOrder, clock: Clock) -> None:
        self._units = units
        self._submit = submit
        self._clock = clock

    async def __call__(self, key: uuid.UUID, number: int) -> str:
        """TRYING, ACCEPTED or REFUSED."""
        async with self._units.reading() as work:
            attempt = await work.submissions.get(key, number)
        if attempt is None:
            return "REFUSED"
        if attempt.state == "TRYING" and self._clock.now() >= attempt.deadline:
            attempt, _ = await self._submit.decide(attempt, Tried((timed_out(attempt),)))
        # One that somebody has to approve has only validated: nothing may be kept for it.
        return "REFUSED" if attempt.outcome == AWAITING_APPROVAL else attempt.state
