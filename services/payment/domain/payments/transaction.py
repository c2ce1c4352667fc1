"""One movement or message of a payment, as it is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TransactionType(StrEnum):
    """What is done."""

    RESERVE = "RESERVE"
    AUTHORIZE = "AUTHORIZE"
    CONFIRM = "CONFIRM"
    RELEASE = "RELEASE"
    VOID = "VOID"
    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    LAPSE = "LAPSE"
    """The gateway lets an authorization go at its time."""


class Result(StrEnum):
    """How it ended."""

    PENDING = "PENDING"
    """A gateway was asked, or will be; not known yet."""
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"


class Cause(StrEnum):
    """What it is done for."""

    SUBMIT = "SUBMIT"
    CANCEL = "CANCEL"
    REQUEST = "REQUEST"
    """A person asked for it."""
    RENEWAL = "RENEWAL"
    """An authorization would lapse before it is needed."""
    CHANGE = "CHANGE"
    """The order owes less."""
    REPLACEMENT = "REPLACEMENT"
    """Another payment takes its place, or it takes another's."""
    SHIPMENT = "SHIPMENT"
    """Units of the order have shipped."""
    RECORD = "RECORD"
    """It happened outside, and somebody has recorded it."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement or message. `gateway_key` is our key of the operation at the gateway, empty when none takes part."""

    id: str
    payment_id: str
    type: TransactionType
    result: Result
    amount: int
    attempt: int
    create_time: datetime
    cause: Cause = Cause.SUBMIT
    gateway_key: str = ""
    authorization_key: str = ""
    """Our key of the authorization that it asks for, ends, takes from or gives back to; empty when no gateway takes part."""
    gateway_reference: str = ""
    message: str = ""
    result_time: datetime | None = None
    ask_time: datetime | None = None
    """When the gateway is asked again about a pending one; None when nobody has to."""
    expire_time: datetime | None = None
    """When the gateway lets the authorization lapse that it asked for."""
    units: int = 0
    """What of its amount is in the unit of the seller's own that the payment's account is counted in, in millionths."""
    recorded_by: str = ""
    """User who recorded it, of one that happened outside."""
    occur_time: datetime | None = None
    """When that happened, as the user said."""


def pending(rows: Iterable[Transaction], type: TransactionType) -> int:
    """What a gateway has still to answer of one type, in sum."""
    return sum(row.amount for row in rows if row.type is type and row.result is Result.PENDING)


def canceled(rows: Iterable[Transaction]) -> bool:
    """Whether a cancel of the order has begun to undo the payment."""
    return any(row.cause is Cause.CANCEL for row in rows)


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway has answered before the transaction is recorded."""

    gateway_key: str
    gateway_reference: str
    expire_time: datetime | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What somebody says of a transaction that happened outside."""

    by: str
    reference: str
    occur_time: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to be recorded of a payment."""

    type: TransactionType
    amount: int
    pending: bool = False
    cause: Cause = Cause.SUBMIT
    authorization_key: str = ""
    """Key of the authorization that it is about; empty for the first of the payment's attempt."""
    units: int = 0
    said: Said | None = None
    """Of what a gateway has answered already; None when it is asked afterwards, or takes no part."""
    recorded: Recorded | None = None
    """Of what happened outside."""
