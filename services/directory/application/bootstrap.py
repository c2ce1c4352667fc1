"""The first start: the marketplace's owner, an API client for it, a signing key, and a secret that is shown once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from libs.auth import roles
from libs.auth.tokens import new_private_key
from libs.clock import Clock
from libs.ids import IdSource

ADMIN_CLIENT = "waybill-admin"
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class OneTimeSecret:
    """What the owner signs in with; it cannot be shown again."""

    client_id: str
    client_secret: str
    username: str


@dataclass(frozen=True, slots=True)
class FirstRows:
    """Rows of an empty directory."""

    seller: dict[str, Any]
    user: dict[str, Any]
    client: dict[str, Any]
    key: dict[str, Any]


async def first_rows(
    seller_id: str, seller_name: str, secret: str, hash: Callable[[str], Awaitable[str]], clock: Clock, ids: IdSource
) -> FirstRows:
    """The owner with every role, and a client that admits everyone."""
    now = clock.now()
    base = {"version": 1, "create_time": now, "update_time": now, "xp": {}}
    user = {
        **base,
        "id": OWNER,
        "party": f"SELLER:{seller_id}",
        "username": OWNER,
        "username_key": OWNER,
        "first_name": "",
        "last_name": "",
        "email": "",
        "phone": "",
        "active": True,
        "roles": [roles.FULL_ACCESS],
        "password_hash": None,
    }
    client = {
        **base,
        "id": ADMIN_CLIENT,
        "name": "Administration",
        "active": True,
        "access_token_minutes": 60,
        "allow_seller": True,
        "allow_any_buyer": True,
        "allow_any_supplier": True,
        "buyer_ids": [],
        "supplier_ids": [],
        "roles": [],
        "default_user_id": OWNER,
        "policy": {"auto_forward": True},
        "secret_hash": await hash(secret),
    }
    key = {"kid": ids.public("key"), "private_pem": new_private_key(), "create_time": now, "retire_time": None}
    seller = {**base, "id": seller_id, "name": seller_name, "singleton": True}
    return FirstRows(seller, user, client, key)
