"""What an empty directory is set up with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database
from libs.ids import new_id
from libs.relay.change import Change
from libs.relay.changes import append
from services import roles
from services.directory.adapters.db.tables import CHANGES, CLIENT_SECRETS, CLIENTS, SELLERS, SIGNING_KEYS, USERS
from services.directory.adapters.db.tokens.signing_keys import SqlSigningKeys, new_row
from services.directory.application.bootstrap import ADMIN_CLIENT, OWNER
from services.directory.application.tokens.ports import KeyMaker, MadeKey
from services.directory.domain.channels.policy import PAYMENT_TYPES
from services.directory.domain.tokens.client_secrets import clue_of
from services.directory.domain.tokens.grants import ANONYMOUS_MINUTES
from services.directory.domain.tokens.signing_keys import SigningKey, signing


@dataclass(frozen=True, slots=True)
class FirstRows:
    """Rows of an empty directory."""

    seller: dict[str, Any]
    user: dict[str, Any]
    client: dict[str, Any]
    secret: dict[str, Any]
    key: dict[str, Any]


async def first_rows(
    seller_id: str, seller_name: str, secret: str, hash: Callable[[str], Awaitable[str]], clock: Clock, made: MadeKey
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
        "refresh_token_minutes": 0,
        "allow_seller": True,
        "allow_any_buyer": True,
        "allow_any_supplier": True,
        "buyer_ids": [],
        "supplier_ids": [],
        "roles": [],
        "default_user_id": OWNER,
        "policy": {"auto_forward": "AUTO_FORWARD_ALL", "payment_types": list(PAYMENT_TYPES)},
        "minimum_roles": [],
        "allowed_origins": [],
        "anonymous_user_id": "",
        "anonymous_token_minutes": ANONYMOUS_MINUTES,
        "registration_buyer_id": "",
        "has_secret": True,
    }
    proof = {
        "client_id": ADMIN_CLIENT,
        "id": new_id("sec"),
        "name": "",
        "clue": clue_of(secret),
        "secret_hash": await hash(secret),
        "create_time": now,
    }
    seller = {**base, "id": seller_id, "name": seller_name, "singleton": True}
    return FirstRows(seller, user, client, proof, new_row(SigningKey(made.kid, now, now), made))


async def renew_key(database: Database, maker: KeyMaker, clock: Clock) -> None:
    """Makes a key when there is none that signs, as after a migration that dropped those of a former kind. Of several processes
    that start at once, one does."""
    now = clock.now()
    async with database.reading() as tx:
        if signing(await SqlSigningKeys(tx).every(), now) is not None:
            return
    made = await maker.make()
    async with database.transaction() as tx:
        keys = SqlSigningKeys(tx)
        if signing(await keys.locked(), now) is None:
            await keys.add(SigningKey(made.kid, now, now), made)


async def is_empty(database: Database) -> bool:
    """Whether the directory was never set up."""
    async with database.reading() as tx:
        return (await tx.execute(sa.select(SELLERS.c.id))).first() is None


async def store(database: Database, rows: FirstRows) -> bool:
    """Stores all of them; False, and nothing stored, when another process was faster."""
    async with database.transaction() as tx:
        first = await tx.execute(tx.insert(SELLERS).on_conflict_do_nothing(), rows.seller)
        if first.rowcount == 0:
            return False
        await tx.execute(tx.insert(USERS), rows.user)
        await tx.execute(tx.insert(CLIENTS), rows.client)
        await tx.execute(tx.insert(CLIENT_SECRETS), rows.secret)
        await tx.execute(tx.insert(SIGNING_KEYS), rows.key)
        made = [("seller", rows.seller), ("user", rows.user), ("API client", rows.client)]
        await append(tx, CHANGES, [Change(resource, row["id"], row["version"], row["create_time"]) for resource, row in made])
    return True
