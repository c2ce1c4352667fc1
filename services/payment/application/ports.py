"""What payment needs from outside."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from services.payment.domain.ledger import Movement
from services.payment.domain.payment import Payment

Tx = Any
Request = Any


class Transactions(Protocol):
    """Opens transactions of the payment database."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]: ...
    def reading(self) -> AbstractAsyncContextManager[Tx]: ...


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement or message of a payment."""

    id: str
    payment_id: str
    type: str
    result: str
    amount: int
    attempt: int
    create_time: datetime
    gateway_key: str = ""
    gateway_reference: str = ""
    message: str = ""
    result_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A spending account as a payment looks at it."""

    id: str
    buyer_id: str
    currency: str
    active: bool
    start_time: datetime | None
    end_time: datetime | None
    balance: int
    reserved: int
    users: Mapping[str, bool]
    """Whom it is assigned to, with allow_exceed; an empty user is everyone."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as a payment looks at it."""

    id: str
    buyer_id: str
    user_id: str
    token: str


class PaymentStore(Protocol):
    """Payments, their transactions, attempts, balances, the ledger."""

    async def of_order(self, tx: Tx, key: uuid.UUID, *, lock: bool = False) -> list[Payment]: ...
    async def of_orders(self, tx: Tx, keys: Collection[uuid.UUID]) -> list[Payment]: ...
    async def get(self, tx: Tx, payment_id: str, *, lock: bool = False) -> Payment | None: ...
    async def insert(self, tx: Tx, payments: Sequence[Payment]) -> None: ...
    async def save(self, tx: Tx, payments: Sequence[Payment]) -> None: ...
    async def remove(self, tx: Tx, payment_ids: Sequence[str]) -> None: ...
    async def taken_ids(self, tx: Tx, ids: Collection[str]) -> set[str]: ...
    async def accounts(self, tx: Tx, ids: Collection[str], *, lock: bool = False) -> dict[str, Account]: ...
    async def cards(self, tx: Tx, ids: Collection[str]) -> dict[str, Card]: ...
    async def attempt_state(self, tx: Tx, key: uuid.UUID, attempt: int) -> str: ...
    async def open_attempt(
        self, tx: Tx, key: uuid.UUID, attempt: int, state: str, expire: datetime, now: datetime
    ) -> str: ...
    async def end_attempt(self, tx: Tx, key: uuid.UUID, attempt: int, state: str, now: datetime) -> str: ...
    async def expired(self, tx: Tx, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]: ...
    async def reserve_balances(self, tx: Tx, payments: Sequence[Payment], attempt: int) -> None: ...
    async def end_reservations(self, tx: Tx, key: uuid.UUID, attempt: int, state: str) -> None: ...
    async def post(self, tx: Tx, movements: Sequence[Movement], now: datetime) -> None: ...
    async def add_transactions(self, tx: Tx, rows: Sequence[Transaction]) -> None: ...
    async def settle_transaction(
        self, tx: Tx, id: str, result: str, reference: str, message: str, now: datetime
    ) -> bool: ...
    async def transactions(self, tx: Tx, payment_ids: Collection[str]) -> list[Transaction]: ...
    async def in_state(self, tx: Tx, state: str, limit: int) -> list[Payment]: ...


class RequestStore(Protocol):
    """Outcomes of idempotent requests."""

    async def find(self, tx: Tx, request: Request) -> dict[str, Any] | None: ...
    async def claim(self, tx: Tx, request: Request, outcome: dict[str, Any], now: datetime) -> dict[str, Any] | None: ...


class Verdict(StrEnum):
    """What a gateway says."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    NOTHING = "NOTHING"
    """It holds nothing under this key."""
    UNKNOWN = "UNKNOWN"
    """It did not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A gateway's answer."""

    verdict: Verdict
    reference: str = ""
    message: str = ""


class Gateway(Protocol):
    """A payment provider. Every operation has our key: the same key is the same operation."""

    name: str

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer: ...
    async def void(self, key: str) -> Answer:
        """Ends the authorization of this key, or makes sure that there will be none."""

    async def capture(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer: ...
    async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer: ...
    async def get_by_key(self, key: str) -> Answer:
        """What became of an operation."""


class Decisions(Protocol):
    """The order service, which alone decides about attempts."""

    async def resolve(self, key: uuid.UUID, attempt: int) -> str: ...
