"""Orders that were never submitted and that nobody has touched for long are deleted, as DeleteOrder does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from libs.clock import Clock
from libs.obs import get_logger
from services.order import metrics
from services.order.application.building.delete_order import Body
from services.order.application.building.finish_deletions import FinishDeletions
from services.order.application.limits import CartLimits
from services.order.application.peers import Payments
from services.order.application.ports import Units
from services.order.application.records import CartKind, Deleted, Gone
from services.order.domain.history import changed
from services.order.domain.model import Order

log = get_logger("sweep")


class SweepCarts:
    """A background loop, safe in every replica. Payment says first whether anything is held for an order, and lets none come to
    it as it is; then the order goes, while it has the version that was looked at; then its payments do. So whoever uses one
    meanwhile keeps it with all that is on it, and wherever this stops the next look goes on. One that somebody has locked is
    left for the next time. Batches are small, with pauses between them."""

    def __init__(self, units: Units, payments: Payments, clock: Clock, body: Body, limits: CartLimits) -> None:
        self._units = units
        self._payments = payments
        self._finish = FinishDeletions(units, payments, limits)
        self._clock = clock
        self._body = body
        self._limits = limits

    async def once(self) -> int:
        """Looks at every cart that is beyond its time once; returns how many went. What cannot go yet is looked at again by the
        next look, and hides nothing that comes after it. What earlier deletions have left is finished first."""
        await self._finish.once()
        return sum([await self._swept(kind, age) for kind, age in self._limits.ages.items() if age])

    async def _swept(self, kind: CartKind, age: timedelta) -> int:
        before, most, count = self._clock.now() - age, self._limits.sweep_batch, 0
        after = None
        while True:
            async with self._units.reading() as work:
                found = await work.carts.abandoned(kind, before, after, most)
            if found:
                count += await self._delete(found)
                after = (found[-1].update_time, found[-1].key)
            if len(found) < most:
                return count
            await asyncio.sleep(self._limits.sweep_rest)

    async def _delete(self, found: Sequence[Order]) -> int:
        kept = await self._payments.prepare_deletions(found)
        for reason in kept.values():
            metrics.carts_kept(reason)
        versions = {order.key: order.version for order in found if order.key not in kept}
        if not versions:
            return 0
        async with self._units.transaction() as work:
            now = self._clock.now()
            orders = [o for o in await work.carts.lock(list(versions)) if o.version == versions[o.key]]
            gone = [Gone(*changed(order, "order_deleted", "", "", now), self._body(order)) for order in orders]
            await work.orders.delete(gone)
        if gone:
            await self._finish.of([Deleted(g.order.key, g.order.id, g.order.version, g.order.update_time) for g in gone])
        metrics.CARTS_SWEPT.inc(len(gone))
        if gone or kept:
            log.info("carts swept", gone=len(gone), kept=len(kept))
        return len(gone)
