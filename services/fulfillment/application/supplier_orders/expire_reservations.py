"""Overdue reservations: nobody guesses. The order service decides what became of the attempt."""

from __future__ import annotations

from datetime import timedelta

from libs.clock import Clock
from libs.obs import get_logger, metrics, tracing
from libs.service.loops import Tries, one_by_one
from services.fulfillment.application.ports import OrderPeer, ReservationPort, Transactions
from services.fulfillment.application.sourcing.release_reservation import ReleaseReservation
from services.fulfillment.application.supplier_orders.change_order import ReleaseChange
from services.fulfillment.domain.sourcing.reservation import Kind

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
        changes: ReleaseChange,
        clock: Clock,
        again: timedelta,
        tries: Tries,
    ) -> None:
        self._transactions = transactions
        self._reservations = reservations
        self._peer = peer
        self._release = release
        self._changes = changes
        self._clock = clock
        self._again = again
        self._tries = tries

    async def once(self) -> int:
        """Looks at what is overdue; returns how many were released. Safe in several replicas."""
        now = self._clock.now()
        due = await self._transactions.retrying(lambda tx: self._reservations.due(tx, now, now + self._again, BATCH))
        return await one_by_one(due, lambda found: self._ask(*found), _LOG, self._tries)

    async def _ask(self, order_key: str, attempt: int, kind: Kind) -> bool:
        with tracing.work("fulfillment", "expire reservation", order=order_key):
            if await self._peer.resolve(order_key, attempt) != "REFUSED":
                return False
            await (self._changes if kind is Kind.CHANGE else self._release)(order_key, attempt)
        metrics.STOCK_RELEASED.inc()
        return True
