"""ReleaseReservation: ends an attempt's reservation; an unknown one leaves a tombstone against the late
try.
"""

from __future__ import annotations

from libs.clock import Clock
from services.fulfillment.application.ports import ReservationPort, StockPort, Transactions, Tx
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.reservation import Freeze, Reservation, ReservationState
from services.fulfillment.domain.stock.ledger import Cause, effects, releasing


class ReleaseReservation:
    """The use case."""

    def __init__(self, transactions: Transactions, stock: StockPort, reservations: ReservationPort, clock: Clock) -> None:
        self._transactions = transactions
        self._stock = stock
        self._reservations = reservations
        self._clock = clock

    async def __call__(self, order_key: str, attempt: int) -> ReservationState:
        """RELEASED; or CONFIRMED when that came first, and then nothing is released."""
        return await self._transactions.retrying(lambda tx: self._release(tx, order_key, attempt))

    async def _release(self, tx: Tx, order_key: str, attempt: int) -> ReservationState:
        now = self._clock.now()
        known = await self._reservations.get(tx, order_key, attempt, lock=True)
        if known is None:
            tombstone = Reservation(
                order_key=order_key,
                attempt=attempt,
                state=ReservationState.RELEASED,
                freeze=Freeze.NONE,
                strategy=Strategy.DEFAULT_SUPPLIER,
                lines=(),
                assignments=(),
                check_time=None,
            )
            if await self._reservations.claim(tx, tombstone, now):
                return ReservationState.RELEASED
            # The try came between the two statements; it is committed, for the claim waited for it.
            known = await self._reservations.get(tx, order_key, attempt, lock=True)
            assert known is not None
        if known.state is not ReservationState.RESERVED:
            return known.state
        await self._reservations.end(tx, known, ReservationState.RELEASED, now)
        movements = releasing(known.assignments, Cause(order_key, attempt))
        await self._stock.book(tx, movements, effects(movements), now)
        return ReservationState.RELEASED
