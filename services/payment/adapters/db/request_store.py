"""Outcomes of idempotent requests."""

from __future__ import annotations

from datetime import datetime

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.payment.adapters.db.tables import REQUESTS
from services.payment.application.ports import Outcome


class SqlRequestStore:
    """Remembers requests for 30 days."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, request: RequestKey | None) -> Outcome | None:
        """The outcome of an earlier call."""
        return await outcomes.find(self._tx, REQUESTS, request)

    async def claim(self, request: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None:
        """None for the first call, the recorded outcome for every other."""
        return await outcomes.claim(self._tx, REQUESTS, request, {name: list(ids) for name, ids in outcome.items()}, now)
