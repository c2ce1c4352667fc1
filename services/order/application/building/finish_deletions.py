"""Payments of orders that are gone are removed, whatever stopped whoever deleted the orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.obs import get_logger
from services.order.application.limits import CartLimits
from services.order.application.peers import Payments
from services.order.application.ports import Units
from services.order.application.records import Deleted

log = get_logger("sweep")


class FinishDeletions:
    """The last step of a deletion, which can be repeated and is safe in every replica. Payments that cannot go yet are asked for
    again by the next look, and keep no others waiting."""

    def __init__(self, units: Units, payments: Payments, limits: CartLimits) -> None:
        self._units = units
        self._payments = payments
        self._limits = limits

    async def once(self) -> int:
        """Looks at every deletion that is not finished once; returns how many were."""
        most, count, after = self._limits.sweep_batch, 0, None
        while True:
            async with self._units.reading() as work:
                found = await work.deletions.unfinished(after, most)
            if found:
                count += await self.of(found)
                after = (found[-1].delete_time, found[-1].key)
            if len(found) < most:
                return count
            await asyncio.sleep(self._limits.sweep_rest)

    async def of(self, deleted: Sequence[Deleted]) -> int:
        """Finishes these in one call and one transaction; returns how many are."""
        kept = await self._payments.finish_deletions(deleted)
        if kept:
            log.warning("payments of deleted orders stay for now", kept=len(kept), reasons=sorted(set(kept.values())))
        done = [one.key for one in deleted if one.key not in kept]
        if done:
            async with self._units.transaction() as work:
                await work.deletions.finish(done)
        return len(done)
