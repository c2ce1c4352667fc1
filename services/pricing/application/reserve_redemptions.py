"""The steps of submit: confirm the quote, hold what the order redeems, end it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.clock import Clock
from services.pricing.application.ports import PriceStore, ReservationStore, Transactions
from services.pricing.domain.calculation import Line, Problem, changed_prices
from services.pricing.domain.reasons import Reason

OUTLIVES = timedelta(minutes=2)
"""How much longer than the attempt's deadline a reservation lives before anyone asks about it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step's key and its deadline."""

    order_key: uuid.UUID
    number: int
    deadline: datetime
    validate_only: bool


class Redemptions:
    """Reserve, confirm, release; each idempotent by (order, attempt)."""

    def __init__(
        self, database: Transactions, prices: PriceStore, reservations: ReservationStore, clock: Clock
    ) -> None:
        self._db = database
        self._prices = prices
        self._reservations = reservations
        self._clock = clock

    async def reserve(
        self, attempt: Attempt, buyer_id: str, currency: str, lines: Sequence[Line], expected: Mapping[str, int]
    ) -> tuple[str, list[Problem]]:
        """RESERVED, or why not; a repeat gets the state that stands. `validate_only` leaves nothing."""
        now = self._clock.now()
        products = {line.product_id for line in lines if line.unit_price_override is None}
        opening = self._db.reading if attempt.validate_only else self._db.transaction
        async with opening() as tx:
            schedules = await self._prices.schedules(tx, buyer_id, products) if products else {}
            problems = changed_prices(currency, lines, expected, schedules, now)
            if attempt.validate_only:
                return "", problems
            if problems:
                # Prices may have moved since this very attempt was reserved: then its promise stands.
                state = await self._reservations.state(tx, attempt.order_key, attempt.number)
            else:
                state = await self._reservations.reserve(
                    tx, attempt.order_key, attempt.number, attempt.deadline + OUTLIVES, now
                )
        if state == "RELEASED":
            return state, [Problem("", Reason.ATTEMPT_RELEASED, "the attempt was released before")]
        return state, [] if state else problems

    async def end(self, order_key: uuid.UUID, attempt: int, state: str) -> str:
        """CONFIRMED or RELEASED as asked, or what stands there already."""
        async with self._db.transaction() as tx:
            return await self._reservations.end(tx, order_key, attempt, state, self._clock.now())
