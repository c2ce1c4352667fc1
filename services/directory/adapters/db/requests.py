"""Recorded outcomes of requests."""

from __future__ import annotations

from datetime import datetime

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.directory.adapters.db.tables import REQUESTS
from services.directory.application.ports import Outcome


class SqlRequests:
    """Remembers requests for 30 days."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, key: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None:
        """Records the outcome; or returns that of an earlier call."""
        return await outcomes.claim(self._tx, REQUESTS, key, outcome, now)
