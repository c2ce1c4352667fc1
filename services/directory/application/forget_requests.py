"""Recorded outcomes of requests are kept for 30 days."""

from __future__ import annotations

import asyncio

from libs.clock import Clock
from libs.obs import get_logger
from services.directory.application.ports import Requests, Transactions

_LOG = get_logger("directory.requests")


class ForgetRequests:
    """Deletes what is older. Safe in several replicas."""

    def __init__(self, transactions: Transactions, requests: Requests, clock: Clock) -> None:
        self._transactions = transactions
        self._requests = requests
        self._clock = clock

    async def run(self, pause: float) -> None:
        """The loop: until it is canceled."""
        while True:
            await asyncio.sleep(pause)
            try:
                await self._transactions.retrying(lambda tx: self._requests.expire(tx, self._clock.now()))
            except Exception:
                _LOG.exception("forget_failed")
