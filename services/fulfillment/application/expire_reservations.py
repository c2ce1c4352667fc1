"""Overdue reservations: nobody guesses. The order service decides what became of the attempt."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from libs.clock import Clock
from libs.errors import WaybillError
from libs.obs import get_logger, metrics, tracing
from services.fulfillment.application.ports import OrderPeer, ReservationPort, Transactions
from services.fulfillment.application.release_reservation import ReleaseReservation

BATCH = 100
_LOG = get_logger("fulfillment.reservations")


class ExpireReservations:
    """Releases what was REFUSED.

    TRYING, ACCEPTED (its confirm is on the way) and no answer leave it as it is.
    """

    def __init__(
        self,
        transactions: Transactions,
        reservations: ReservationPort,
        peer: OrderPeer,
        release: ReleaseReservation,
        clock: Clock,
        again: timedelta,
    ) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._peer = peer
        self._release = release
        self._clock = clock
        self._again = again

    async def once(self) -> int:
        """Looks at what is overdue; returns how many were released. Safe in several replicas."""
        now = self._clock.now()
        due = await self._transactions.retrying(lambda tx: self._reservations.due(tx, now, now + self._again, BATCH))
        released = 0
        for order_key, attempt in due:
            with tracing.work("fulfillment", "expire reservation", order=order_key):
                if await self._peer.resolve(order_key, attempt) == "REFUSED":
                    await self._release(order_key, attempt)
                    released += 1
                    metrics.STOCK_RELEASED.inc()
        return released

    async def run(self, pause: float) -> None:
        """The loop: until it is canceled."""
        while True:
            try:
                await self.once()
            except WaybillError as error:
                _LOG.info("resolve_postponed", reason=error.reason)
            except Exception:
                _LOG.exception("expire_failed")
            await asyncio.sleep(pause)
