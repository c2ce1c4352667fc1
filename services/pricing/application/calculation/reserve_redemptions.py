"""The steps of submit: confirm the quote, hold what the order redeems, end it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.clock import Clock
from services.pricing.application.ports import PriceStore, ReservationStore, Transactions, Tx
from services.pricing.domain.calculation.calculate import Line, Problem
from services.pricing.domain.calculation.quote import Quote, changed
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

    def __init__(self, database: Transactions, prices: PriceStore, reservations: ReservationStore, clock: Clock) -> None:
        self._db = database
        self._prices = prices
        self._reservations = reservations
        self._clock = clock

    async def reserve(
        self, attempt: Attempt, buyer_id: str, currency: str, lines: Sequence[Line], quote: Quote
    ) -> tuple[str, list[Problem]]:
        """RESERVED, or why not; a repeat gets the state that stands. `validate_only` leaves nothing."""
        now = self._clock.now()
        products = {line.product_id for line in lines if line.unit_price_override is None}

        async def check(tx: Tx) -> list[Problem]:
            schedules = await self._prices.schedules(tx, buyer_id, products) if products else {}
            rates = await self._prices.rates(tx, *quote.taxed(lines), now)
            must_know = any(quote.unplaced(lines)) and await self._prices.any_rate(tx)
            return changed(currency, lines, quote, schedules, rates, now, must_know)

        async def work(tx: Tx) -> tuple[str, list[Problem]]:
            if problems := await check(tx):
                # Prices may have moved since this very attempt was reserved: then its promise stands.
                return await self._reservations.state(tx, attempt.order_key, attempt.number), problems
            until = attempt.deadline + OUTLIVES
            return await self._reservations.reserve(tx, attempt.order_key, attempt.number, until, now), []

        if attempt.validate_only:
            async with self._db.reading() as tx:
                return "", await check(tx)
        state, problems = await self._db.retrying(work)
        if state == "RELEASED":
            return state, [Problem("", Reason.ATTEMPT_RELEASED, "the attempt was released before")]
        return state, [] if state else problems

    async def end(self, order_key: uuid.UUID, attempt: int, state: str) -> str:
        """CONFIRMED or RELEASED as asked, or what stands there already."""
        return await self._db.retrying(lambda tx: self._reservations.end(tx, order_key, attempt, state, self._clock.now()))
