"""Recorded outcomes of requests are kept for 30 days."""

from __future__ import annotations

import asyncio

from libs.clock import Clock
from services.payment.application.ports import RequestStore, Transactions


class ForgetRequests:
    """A background loop that deletes what is older; safe in every replica."""

    def __init__(self, database: Transactions, requests: RequestStore, clock: Clock) -> None:
        self._db = database
        self._requests = requests
        self._clock = clock

    async def run(self, pause: float) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(pause)
            await self._db.retrying(lambda tx: self._requests.expire(tx, self._clock.now()))
