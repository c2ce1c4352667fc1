"""Refusals that come in floods are answered later: whoever is refused and comes again at once gets nothing by it, and the
process has time for others."""

from __future__ import annotations

import asyncio

from libs.rpc.fairness.allowances import Allowances
from libs.rpc.fairness.sources import Source

SOURCES = 10_000
"""Addresses that are remembered; the one that was refused longest ago is forgotten first."""
BURST = 4.0
"""Seconds' worth of refusals that come at once before any of them waits."""
PAUSE = 0.25
CROWD = 50
"""So many waiting refusals, and each waits as long again."""
LONGEST = 5.0
WAITING = 2_000
"""Refusals that wait at the same time, of all; more are answered at once, since each takes memory."""


class Refusals:
    """Counts refusals by the address that they go to."""

    def __init__(self, per_second: int) -> None:
        self._allowances = Allowances(BURST * per_second, per_second, SOURCES)
        self.waiting = 0
        """How many wait now."""

    async def before(self, source: Source) -> None:
        """To be awaited before a refusal is answered. A proxy that says of nobody whom it calls for does not wait."""
        pause = 0.0 if source.shared else self.pause(source.name, asyncio.get_running_loop().time())
        if not pause:
            return
        self.waiting += 1
        try:
            await asyncio.sleep(pause)
        finally:
            self.waiting -= 1

    def pause(self, source: str, now: float) -> float:
        """Seconds that the next refusal of an address waits; none unless there were many."""
        at_once = self._allowances.left(source, now) >= 1.0
        self._allowances.spend(source, 1.0 if at_once else 0.0, now)
        if at_once:
            return 0.0
        if self.waiting >= WAITING:
            return 0.0
        return min(LONGEST, PAUSE * (1 + self.waiting / CROWD))
