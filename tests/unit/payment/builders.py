"""Payments, accounts and cards with defaults."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from services.payment.domain.means.means import Account, Card
from services.payment.domain.payments.payment import Payment

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
ORDER = uuid.UUID(int=7)


def a_payment(id: str = "p1", type: str = "purchase_order", amount: int | None = None, **more: Any) -> Payment:
    """A payment of acme's anna."""
    values: dict[str, Any] = {
        "order_key": ORDER,
        "order_id": "PO1",
        "buyer_id": "acme",
        "user_id": "anna",
        "position": 1,
        "currency": "USD",
        "create_time": NOW,
        "update_time": NOW,
        "due": more.get("resolved_amount") or 0,
        **more,
    }
    return Payment(id=id, type=type, amount=amount, **values)


def an_account(id: str = "gift", balance: int = 100, reserved: int = 0, **more: Any) -> Account:
    """An account of acme, for everyone."""
    values: dict[str, Any] = {
        "buyer_id": "acme",
        "currency": "USD",
        "active": True,
        "start_time": None,
        "end_time": None,
        "users": {"": False},
        **more,
    }
    return Account(id=id, balance=balance, reserved=reserved, **values)


def a_card(id: str = "card", user_id: str = "") -> Card:
    """A card of acme."""
    return Card(id, "acme", user_id, "tok")
