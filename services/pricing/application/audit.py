"""What pricing states about orders: which attempts hold redemptions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from libs.audit import Fact, Record, Summary

Rows = Callable[[], Any]


class Audit:
    """Facts of reservations that are not ended."""

    def __init__(self, reserved: Rows) -> None:
        self._reserved = reserved

    async def __call__(self) -> AsyncIterator[Record]:
        """One fact per reservation."""
        rows = await self._reserved()
        for key, attempt in rows:
            yield Fact("pricing", "attempt", str(key), {"attempt": str(attempt), "state": "RESERVED"})
        yield Summary("pricing", 1, len(rows), 0)
