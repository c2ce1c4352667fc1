"""RejectUnanswered: what a supplier has not answered in time is rejected by the system."""

from __future__ import annotations

from uuid import UUID

from libs.clock import Clock
from libs.obs import get_logger, tracing
from libs.service.loops import Pace, one_by_one
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment import metrics
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.supplier_orders.reject_supplier_order import RejectSupplierOrder

_LOG = get_logger("fulfillment.answers")


class RejectUnanswered:
    """The look of a background loop; safe in every replica, since each looks again at what it has locked."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], rejecting: RejectSupplierOrder, clock: Clock, pace: Pace) -> None:
        self._units = units
        self._rejecting = rejecting
        self._clock = clock
        self._pace = pace

    async def once(self) -> int:
        """Rejects what is overdue; returns how many supplier orders."""
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            found = await work.orders.unanswered(self._clock.now(), self._pace.batch)
        return await one_by_one(found, self._reject, _LOG, self._pace.tries)

    async def _reject(self, key: UUID) -> bool:
        with tracing.work("fulfillment", "reject unanswered", supplier_order=str(key)):
            if not await self._rejecting.overdue(key):
                return False
        metrics.UNANSWERED.inc()
        return True
