"""The completer: takes up whatever its coordinator has left unfinished, and drives it to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol

from libs.clock import Clock
from libs.obs import get_logger
from libs.service.loops import Tries, one_by_one
from services.order.application.limits import DEFAULT, CompleterLimits
from services.order.application.ports import OrderWork, Units

log = get_logger("completer")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One piece of work that is leased to this completer."""

    item: object
    """What `retries` knows it by."""
    drive: Callable[[], Awaitable[None]]
    """Drives it as far as it goes now; safe to be run by several at once."""
    retries: Tries


class Driver(Protocol):
    """One kind of unfinished work."""

    async def due(self, work: OrderWork, now: datetime) -> bool:
        """Whether there is anything to take up; a look that costs no write."""
        ...

    async def claim(self, work: OrderWork, now: datetime, until: datetime, limit: int) -> Sequence[Unfinished]:
        """What nobody is driving; it is this caller's until `until`."""
        ...


class CompleteSubmissions:
    """A background loop, safe in every replica: rows are leased, decisions are conditional, steps are idempotent."""

    def __init__(self, units: Units, drivers: Sequence[Driver], clock: Clock, limits: CompleterLimits = DEFAULT) -> None:
        self._units = units
        self._drivers = drivers
        self._limits = limits
        self._clock = clock

    async def once(self) -> int:
        """Drives everything that is due; returns how much that was."""
        now = self._clock.now()
        async with self._units.reading() as work:
            due = False
            for driver in self._drivers:
                due = due or await driver.due(work, now)
        if not due:
            return 0
        until, most = now + self._limits.lease, self._limits.completer_batch
        async with self._units.transaction() as work:
            claimed = [await driver.claim(work, now, until, most) for driver in self._drivers]
        pieces = list(chain.from_iterable(claimed))
        # One that waits for a silent service must not keep the others waiting, nor one that fails hide them.
        await asyncio.gather(*(_driven(piece) for piece in pieces))
        return len(pieces)


async def _driven(piece: Unfinished) -> None:
    """Drives one; whatever it fails by is noted, and it is taken up again after a while."""

    async def act(_: object) -> bool:
        await piece.drive()
        return True

    await one_by_one([piece.item], act, log, piece.retries)
