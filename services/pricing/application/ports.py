"""What pricing needs from outside."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from services.pricing.domain.schedules.assignment import Assignment, Key
from services.pricing.domain.schedules.schedule import Schedule
from services.pricing.domain.tax.rates import Destination, Rates

Tx = Any
Request = Any
T = TypeVar("T")


class Transactions(Protocol):
    """Opens transactions of the pricing database."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]: ...
    def reading(self) -> AbstractAsyncContextManager[Tx]: ...
    async def retrying(self, work: Callable[[Tx], Awaitable[T]]) -> T: ...


class PriceStore(Protocol):
    """Schedules and rates, for whole orders."""

    async def schedules(self, tx: Tx, buyer_id: str, products: Collection[str]) -> dict[str, Schedule]:
        """The schedule that holds for each product: the buyer's, else the default."""

    async def rates(self, tx: Tx, places: Collection[Destination], classes: Collection[str], now: datetime) -> Rates:
        """All rates of these classes that can hold at these places now."""

    async def any_rate(self, tx: Tx) -> bool:
        """Whether anything is taxed anywhere, at any time."""


class AssignmentStore(Protocol):
    """Which schedule prices which product. Rows are written in the order of their keys."""

    async def known_schedules(self, tx: Tx, ids: Collection[str]) -> set[str]: ...
    async def put(self, tx: Tx, assignments: Sequence[Assignment]) -> None: ...
    async def remove(self, tx: Tx, keys: Sequence[Key]) -> None: ...


class ReservationStore(Protocol):
    """What attempts to submit hold."""

    async def reserve(self, tx: Tx, key: uuid.UUID, attempt: int, expire: datetime, now: datetime) -> str: ...
    async def end(self, tx: Tx, key: uuid.UUID, attempt: int, state: str, now: datetime) -> str: ...
    async def state(self, tx: Tx, key: uuid.UUID, attempt: int) -> str: ...
    async def expired(self, tx: Tx, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Those past their time, the oldest first."""


class RequestStore(Protocol):
    """Recorded outcomes of requests."""

    async def claim(self, tx: Tx, request: Request, outcome: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Records the outcome; or returns that of an earlier call."""


class Decisions(Protocol):
    """The order service, which alone decides about attempts."""

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED; raises when it does not answer."""


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation, and how often asking about it has failed in a row."""

    order_key: uuid.UUID
    attempt: int
    state: str
    tried: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Census:
    """The whole database at one moment, as far as its invariants need it."""

    rows: Mapping[str, int]
    """By table."""
    dangling: tuple[tuple[Key, str], ...]
    """Assignments of schedules that do not exist."""
    misordered: tuple[str, ...]
    """Schedules whose breaks cannot be."""
    rates_out_of_range: tuple[str, ...]
    unknown_states: tuple[Held, ...]
    """Reservations in a state that there is not."""


class CensusStore(Protocol):
    """Reads the database for the audit."""

    async def take(self) -> Census:
        """One snapshot."""

    async def reservations(self, order_keys: Sequence[str]) -> Sequence[Held]:
        """What is reserved or confirmed for these orders."""

    def stated(self) -> AsyncIterator[Held]:
        """What is reserved or confirmed, in the order of the orders' keys, a part at a time."""
        ...
