"""Recorded outcomes of idempotent requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.fulfillment.adapters.db.tables import requests


class SqlRequestStore:
    """Remembers requests for 30 days."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, request: RequestKey | None, now: datetime, made: Sequence[str] = ()) -> Sequence[str] | None:
        """Records the ids of what the request makes; or returns those of an earlier call."""
        earlier = await outcomes.claim(self._tx, requests, request, {"ids": list(made)} if made else {}, now)
        return None if earlier is None else [str(id) for id in earlier.get("ids", ())]
