"""The order itself: whether it is complete, and whether directory and catalog still say what it was built from."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from services.order.application.submission.legs.leg import OWN, Asked, Leg, LegTry, Trial
from services.order.domain.submission.readiness import objections


class Readiness(Leg):
    """Only looks."""

    context: ClassVar[str] = OWN

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """What the order lacks, or why that cannot be known."""
        known = await asked
        if known.facts is None:
            return LegTry(known.reasons)
        return LegTry(tuple(objections(trial.order, trial.lines, trial.worksheet, known.facts, trial.begin_time)))
