"""What pricing needs from outside."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from services.pricing.domain.schedule import Schedule
from services.pricing.domain.tax import Rates

Tx = Any


class Transactions(Protocol):
    """Opens transactions of the pricing database."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]: ...
    def reading(self) -> AbstractAsyncContextManager[Tx]: ...


class PriceStore(Protocol):
    """Schedules and rates, for whole orders."""

    async def schedules(self, tx: Tx, buyer_id: str, products: Collection[str]) -> dict[str, Schedule]:
        """The schedule that holds for each product: the buyer's, else the default."""

    async def rates(self, tx: Tx, countries: Collection[str]) -> Rates:
        """All rates of these countries."""


class ReservationStore(Protocol):
    """What attempts to submit hold."""

    async def reserve(self, tx: Tx, key: uuid.UUID, attempt: int, expire: datetime, now: datetime) -> str: ...
    async def end(self, tx: Tx, key: uuid.UUID, attempt: int, state: str, now: datetime) -> str: ...
    async def state(self, tx: Tx, key: uuid.UUID, attempt: int) -> str: ...
    async def expired(self, tx: Tx, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]: ...


class Decisions(Protocol):
    """The order service, which alone decides about attempts."""

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED; raises when it does not answer."""
