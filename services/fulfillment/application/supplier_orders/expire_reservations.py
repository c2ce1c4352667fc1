"""Overdue reservations: nobody guesses. The order service decides what became of the attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from libs.clock import Clock
from libs.obs import get_logger, tracing
from libs.service.loops import Pace, one_by_one
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment import metrics
from services.fulfillment.application.ports import FulfillmentWork, OrderPeer
from services.fulfillment.application.sourcing.release_reservation import ReleaseReservation
from services.fulfillment.application.supplier_orders.change_order import ReleaseChange
from services.fulfillment.domain.sourcing.reservation import Kind

_LOG = get_logger("fulfillment.reservations")


class ExpireReservations:
    """Releases what was REFUSED.

    TRYING, ACCEPTED (its confirm is on the way) and no answer leave it as it is, for the time that the pace names.
    """

    def __init__(self, units: UnitsOfWork[FulfillmentWork], peer: OrderPeer, clock: Clock, pace: Pace) -> None:
        self._units = units
        self._peer = peer
        self._clock = clock
        self._pace = pace
        self._release: Mapping[Kind, Callable[[str, int], Awaitable[object]]] = {
            Kind.SUBMIT: ReleaseReservation(units, clock),
            Kind.CHANGE: ReleaseChange(units, clock),
        }

    async def once(self) -> int:
        """Looks at what is overdue; returns how many were released. Safe in several replicas."""
        now = self._clock.now()
        due = await self._units.retrying(lambda work: work.reservations.due(now, now + self._pace.again, self._pace.batch))
        return await one_by_one(due, lambda found: self._ask(*found), _LOG, self._pace.tries)

    async def _ask(self, order_key: str, attempt: int, kind: Kind) -> bool:
        with tracing.work("fulfillment", "expire reservation", order=order_key):
            if await self._peer.resolve(order_key, attempt) != "REFUSED":
                return False
            await self._release[kind](order_key, attempt)
        metrics.STOCK_RELEASED.inc()
        return True
