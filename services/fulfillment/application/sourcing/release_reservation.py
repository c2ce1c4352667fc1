"""ReleaseReservation: ends an attempt's reservation; an unknown one leaves a tombstone against the late
try.
"""

from __future__ import annotations

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.reservation import Freeze, Reservation, ReservationState
from services.fulfillment.domain.stock.ledger import Cause, releasing, summed_by_record


class ReleaseReservation:
    """The use case."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, order_key: str, attempt: int) -> ReservationState:
        """RELEASED; or CONFIRMED when that came first, and then nothing is released."""
        return await self._units.retrying(lambda work: self._release(work, order_key, attempt))

    async def _release(self, work: FulfillmentWork, order_key: str, attempt: int) -> ReservationState:
        now = self._clock.now()
        known = await work.reservations.get(order_key, attempt, lock=True)
        if known is None:
            tombstone = Reservation(
                order_key=order_key,
                attempt=attempt,
                state=ReservationState.RELEASED,
                freeze=Freeze.NONE,
                ranking=Strategy.DEFAULT_SUPPLIER,
                lines=(),
                assignments=(),
                check_time=None,
            )
            if await work.reservations.claim(tombstone, now):
                return ReservationState.RELEASED
            # The try came between the two statements; it is committed, for the claim waited for it.
            known = await work.reservations.get(order_key, attempt, lock=True)
            assert known is not None
        if known.state is not ReservationState.RESERVED:
            return known.state
        await work.reservations.end(known, ReservationState.RELEASED, now)
        movements = releasing(known.assignments, Cause(order_key, attempt))
        await work.stock.book(movements, summed_by_record(movements), now)
        return ReservationState.RELEASED
