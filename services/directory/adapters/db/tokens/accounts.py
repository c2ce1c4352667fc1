"""Clients and users, as grants need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.identify import folded
from libs.ids import valid_id
from services.directory.adapters.db.people.held_roles import of_users
from services.directory.adapters.db.tables import BUYERS, CLIENT_SECRETS, CLIENTS, MEMBERS, USERS
from services.directory.adapters.db.tokens.revocations import COMPANIES
from services.directory.domain.tokens.client_secrets import ClientSecret
from services.directory.domain.tokens.grants import Account, Client, Standing

MOST_GROUPS = 1_000
"""More than any token has room for, of ids of one character too."""

_SECRET = ("id", "name", "clue", "secret_hash", "create_time", "end_time")
_CLIENT = (
    sa.select(CLIENTS, *(CLIENT_SECRETS.c[name].label(f"s_{name}") for name in _SECRET))
    .outerjoin_from(CLIENTS, CLIENT_SECRETS, CLIENT_SECRETS.c.client_id == CLIENTS.c.id)
    .where(CLIENTS.c.id == sa.bindparam("client"))
)
"""A client once for each of its secrets, or once without any."""


class SqlAccounts:
    """Reads accounts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def client(self, client_id: str) -> Client | None:
        """An API client, or none."""
        if not valid_id(client_id):
            return None
        # In one statement, so that a secret never goes with generations that are newer than its end.
        async with self._db.reading() as tx:
            rows: Sequence[Any] = (await tx.execute(_CLIENT, {"client": client_id})).all()
        if not rows:
            return None
        row = rows[0]
        return Client(
            id=row.id,
            active=row.active,
            minutes=row.access_token_minutes,
            secrets=[ClientSecret(*(getattr(each, f"s_{name}") for name in _SECRET)) for each in rows if each.s_id is not None],
            default_user_id=row.default_user_id,
            roles=row.roles,
            seller=row.allow_seller,
            any_buyer=row.allow_any_buyer,
            any_supplier=row.allow_any_supplier,
            buyer_ids=row.buyer_ids,
            supplier_ids=row.supplier_ids,
            minimum_roles=row.minimum_roles,
            generation=row.generation,
            refresh_minutes=row.refresh_token_minutes,
            allowed_origins=row.allowed_origins,
            anonymous_user_id=row.anonymous_user_id,
            anonymous_minutes=row.anonymous_token_minutes,
            registration_buyer_id=row.registration_buyer_id,
        )

    async def user(self, *, username: str = "", user_id: str = "") -> Account | None:
        """A user by name or id, with its company's state."""
        u = USERS.c
        if not (username or user_id) or "\0" in username:
            return None
        condition = u.id == user_id if user_id else u.username_key == folded(username)
        row = await self._first(sa.select(USERS).where(condition))
        if row is None:
            # As many statements as for one that there is.
            await self._first(sa.select(BUYERS.c.active, BUYERS.c.generation).where(BUYERS.c.id == ""))
            return None
        kind, _, party_id = row.party.partition(":")
        table = COMPANIES[kind]
        # The seller always takes part.
        active = table.c.active if "active" in table.c else sa.true()
        party = await self._first(sa.select(active.label("active"), table.c.generation).where(table.c.id == party_id))
        return Account(
            id=row.id,
            username=row.username,
            party_kind=kind,
            party_id=party_id,
            party_active=party is not None and bool(party.active),
            active=row.active,
            roles=row.roles,
            password_hash=row.password_hash,
            generation=row.generation,
            party_generation=0 if party is None else party.generation,
        )

    async def standing(self, user_id: str) -> Standing:
        """Roles by security profiles, and groups: two statements, however many there are."""
        m = MEMBERS.c
        groups = sa.select(m.user_group_id).where(m.user_id == user_id).order_by(m.user_group_id).limit(MOST_GROUPS + 1)
        async with self._db.reading() as tx:
            given = await of_users(tx, [user_id])
            ids = frozenset((await tx.execute(groups)).scalars())
        return Standing(given.get(user_id, frozenset()), ids if len(ids) <= MOST_GROUPS else None)

    async def _first(self, statement: Any) -> Any:
        async with self._db.reading() as tx:
            return (await tx.execute(statement)).first()
