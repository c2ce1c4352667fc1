"""The ship methods that were chosen: whether they may still be used."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from services.order.application.peers import Shipping
from services.order.application.submission.legs.leg import Asked, Leg, LegTry, Trial


class Carriage(Leg):
    """Only looks; not at all when shipping has just estimated."""

    context: ClassVar[str] = "shipping"

    def __init__(self, shipping: Shipping) -> None:
        self._shipping = shipping

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """Methods that may not be used any more."""
        if trial.quote_is_fresh or not trial.order.estimated:
            return LegTry()
        return LegTry.of(await self._shipping.check(trial.order, trial.worksheet.estimates))
