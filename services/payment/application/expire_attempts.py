"""Nobody guesses: an attempt past its time asks the order service, which decides."""

from __future__ import annotations

import asyncio

from libs.clock import Clock
from libs.errors import WaybillError
from services.payment.application.end_attempt import EndAttempt
from services.payment.application.ports import Decisions, PaymentStore, Transactions

INTERVAL = 5.0


class ExpireAttempts:
    """A background loop, safe in every replica: ends are conditional."""

    def __init__(
        self, database: Transactions, store: PaymentStore, end: EndAttempt, decisions: Decisions, clock: Clock
    ) -> None:
        self._db = database
        self._store = store
        self._end = end
        self._decisions = decisions
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.once()

    async def once(self) -> int:
        """Asks about every attempt past its time; returns how many were ended."""
        async with self._db.reading() as tx:
            due = await self._store.expired(tx, self._clock.now(), 100)
        ended = 0
        for key, attempt in due:
            try:
                decision = await self._decisions.resolve(key, attempt)
            except WaybillError:
                continue
            if decision == "ACCEPTED":
                await self._end.confirm(key, attempt)
            elif decision == "REFUSED":
                await self._end.release(key, attempt)
            ended += decision in ("ACCEPTED", "REFUSED")
        return ended
