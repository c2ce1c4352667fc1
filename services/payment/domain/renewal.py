"""Authorizations that would lapse before they are captured: a new one is asked for, then the old one is given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.payment.domain.attempt import Change
from services.payment.domain.payment import Payment
from services.payment.domain.states import Event, State
from services.payment.domain.transaction import Cause, Entry, Result, Transaction, TransactionType
from services.payment.domain.types import Holding


def renewable(payment: Payment, rows: Sequence[Transaction], until: datetime) -> bool:
    """Whether a confirmed authorization lapses until then, and nothing is under way that needs it as it is."""
    expire = payment.authorization_expire_time
    return (
        payment.holding is Holding.GATEWAY
        and payment.state is State.CONFIRMED
        and expire is not None
        and expire <= until
        and not _under_way(rows)
    )


def renew(payment: Payment) -> Change:
    """Asks for a new authorization under a new key; the payment stays as it is until the gateway has answered."""
    key = payment.authorization_key_of(payment.renewals + 1)
    return Change(payment, Entry(TransactionType.AUTHORIZE, payment.due, True, Cause.RENEWAL, key))


def renewed(
    payment: Payment, asked: Transaction, approved: bool, expire: datetime | None, rows: Sequence[Transaction], now: datetime
) -> Change:
    """What the gateway's answer does: the new authorization replaces the old one, which is voided.

    A new one that is no longer wanted, because the order was canceled or money was taken meanwhile, is voided itself.
    A declined one leaves the payment to a person, before the old one lapses.
    """
    wanted = payment.state is State.CONFIRMED and payment.attempt == asked.attempt and not _captures(rows)
    if not approved:
        return Change(payment.moved(Event.LAPSE, now) if wanted else payment)
    if not wanted:
        return Change(payment, _void(asked.amount, asked.gateway_key))
    after = payment.moved(Event.RENEW, now, renewals=payment.renewals + 1, authorization_expire_time=expire, accepted=True)
    return Change(after, _void(payment.due, payment.authorization_key))


def _void(amount: int, key: str) -> Entry:
    return Entry(TransactionType.VOID, amount, True, Cause.RENEWAL, key)


def _under_way(rows: Sequence[Transaction]) -> bool:
    return _captures(rows) or any(r.type is TransactionType.AUTHORIZE and r.result is Result.PENDING for r in rows)


def _captures(rows: Sequence[Transaction]) -> bool:
    return any(r.type is TransactionType.CAPTURE and r.result is Result.PENDING for r in rows)
