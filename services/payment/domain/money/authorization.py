"""Authorizations: things of their own beside the payment, each with our key. What they are follows from transactions alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.payment.domain.payments.transaction import Result, Transaction, TransactionType


class Hold(StrEnum):
    """What a gateway has of an authorization, as far as it is known."""

    ASKED = "ASKED"
    """The gateway has not answered: it may hold the amount."""
    HELD = "HELD"
    ENDING = "ENDING"
    """Its void is not answered."""
    ENDED = "ENDED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"


@dataclass(frozen=True, slots=True)
class Authorization:
    """One authorization, with what was taken of it and what is on its way."""

    key: str
    amount: int
    attempt: int
    hold: Hold
    expire_time: datetime | None
    kept: bool
    """Whether the gateway declined to void it."""
    captured: int
    capturing: int
    refunded: int
    refunding: int

    @property
    def room(self) -> int:
        """What can be captured of it."""
        return max(0, self.amount - self.captured - self.capturing) if self.hold is Hold.HELD else 0

    @property
    def rest(self) -> int:
        """What was not captured of it."""
        return max(0, self.amount - self.captured)

    @property
    def live(self) -> bool:
        """Whether a gateway holds, or may hold, something of it that was not taken."""
        return self.hold in (Hold.ASKED, Hold.ENDING) or (self.hold is Hold.HELD and self.rest > 0)

    @property
    def returnable(self) -> int:
        """What was taken of it and is neither given back nor on its way back."""
        return self.captured - self.refunded - self.refunding


def authorizations(rows: Iterable[Transaction]) -> list[Authorization]:
    """Those of a payment's transactions, oldest first."""
    by_key: dict[str, list[Transaction]] = {}
    for row in rows:
        if row.authorization_key:
            by_key.setdefault(row.authorization_key, []).append(row)
    return [_one(key, mine) for key, mine in by_key.items()]


def _one(key: str, rows: Sequence[Transaction]) -> Authorization:
    def total(type: TransactionType, result: Result) -> int:
        return sum(row.amount for row in rows if row.type is type and row.result is result)

    asked = next((row for row in reversed(rows) if row.type is TransactionType.AUTHORIZE), rows[0])
    voids = [row.result for row in rows if row.type is TransactionType.VOID]
    return Authorization(
        key=key,
        amount=asked.amount,
        attempt=asked.attempt,
        hold=_hold(asked, voids, any(row.type is TransactionType.LAPSE for row in rows), _given_back(rows)),
        expire_time=asked.expire_time,
        kept=bool(voids) and voids[-1] is Result.DECLINED,
        captured=total(TransactionType.CAPTURE, Result.SUCCEEDED),
        capturing=total(TransactionType.CAPTURE, Result.PENDING),
        refunded=total(TransactionType.REFUND, Result.SUCCEEDED),
        refunding=total(TransactionType.REFUND, Result.PENDING),
    )


def _given_back(rows: Sequence[Transaction]) -> bool:
    """Whether its attempt was refused and has left it, as it had been before, for the next one."""
    last = [row.type for row in rows if row.type in (TransactionType.AUTHORIZE, TransactionType.RELEASE)]
    return bool(last) and last[-1] is TransactionType.RELEASE


def _hold(asked: Transaction, voids: Sequence[Result], lapsed: bool, given_back: bool) -> Hold:
    """Voids come before all else: an approval that came after one has another void, and the last of them counts."""
    if Result.PENDING in voids:
        return Hold.ENDING
    if lapsed:
        return Hold.LAPSED
    if given_back or (voids and voids[-1] is Result.SUCCEEDED):
        return Hold.ENDED
    return {Result.PENDING: Hold.ASKED, Result.SUCCEEDED: Hold.HELD, Result.DECLINED: Hold.DECLINED}[asked.result]
