"""Recorded outcomes of idempotent requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.fulfillment.adapters.db.tables import requests


class RequestStore:
    """Remembers requests for 30 days."""

    async def claim(self, tx: Tx, request: RequestKey | None, outcome: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Records the outcome; or returns that of an earlier call."""
        return await outcomes.claim(tx, requests, request, outcome, now)
