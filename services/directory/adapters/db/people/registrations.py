"""Registrations that wait, as hashes of their tokens, and the users that they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.clock import Clock
from libs.db import Database, Tx, is_unique_violation
from libs.errors import invalid
from libs.identify import folded
from libs.relay.change import Change
from libs.relay.changes import append
from libs.service.loops import Loop
from services.directory.adapters.db.tables import CHANGES, MESSAGES, REGISTRATIONS, USERS
from services.directory.domain.people.registrations import WAITING, Applicant, Registration
from waybill.directory.v1 import reasons

FORGOTTEN_AT_ONCE = 10_000
FORGET_PAUSE = 600.0
_R = REGISTRATIONS.c
_SAID = ("username", "email", "first_name", "last_name", "phone")


class SqlRegistrations:
    """Those of all people within one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, digest: str, one: Registration) -> None:
        """Stores what a token stands for; of one e-mail address the oldest of too many give way."""
        newest = sa.select(_R.token_hash).where(_R.email == one.applicant.email).order_by(_R.create_time.desc(), _R.token_hash)
        await self._tx.execute(sa.delete(REGISTRATIONS).where(_R.token_hash.in_(newest.offset(WAITING - 1))))
        row = {
            "token_hash": digest,
            **{name: getattr(one.applicant, name) for name in _SAID},
            "password_hash": one.password_hash,
            "client_id": one.client_id,
            "buyer_id": one.buyer_id,
            "create_time": one.create_time,
            "expire_time": one.expire_time,
        }
        await self._tx.execute(self._tx.insert(REGISTRATIONS), row)

    async def find(self, digest: str) -> Registration | None:
        """What a token stands for, locked."""
        row = (await self._tx.execute(sa.select(REGISTRATIONS).where(_R.token_hash == digest).with_for_update())).first()
        return None if row is None else _registration(row._mapping)

    async def look(self, digest: str) -> Registration | None:
        """What a token stands for."""
        row = (await self._tx.execute(sa.select(REGISTRATIONS).where(_R.token_hash == digest))).first()
        return None if row is None else _registration(row._mapping)

    async def become(self, digest: str, one: Registration, user_id: str, now: datetime) -> None:
        """Ends the registration and makes the user. Raises USERNAME_TAKEN where another transaction was faster."""
        row = {
            "id": user_id,
            "party": f"BUYER:{one.buyer_id}",
            **{name: getattr(one.applicant, name) for name in _SAID},
            "username_key": folded(one.applicant.username),
            "password_hash": one.password_hash,
            "active": True,
            "roles": [],
            "xp": {},
            "version": 1,
            "create_time": now,
            "update_time": now,
        }
        await self._tx.execute(sa.delete(REGISTRATIONS).where(_R.token_hash == digest))
        try:
            await self._tx.execute(self._tx.insert(USERS), row)
        except IntegrityError as error:
            if is_unique_violation(error):
                raise invalid("token", reasons.USERNAME_TAKEN, "the user name was taken meanwhile") from None
            raise
        await append(self._tx, CHANGES, [Change("user", user_id, 1, now)])


def _registration(row: Mapping[Any, Any]) -> Registration:
    return Registration(
        Applicant(*(row[name] for name in _SAID)),
        password_hash=row["password_hash"],
        client_id=row["client_id"],
        buyer_id=row["buyer_id"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
    )


def forgetting(database: Database, clock: Clock) -> Loop:
    """A background loop that forgets registrations whose time is over, and their tokens in messages."""

    async def forget() -> None:
        over = sa.literal(clock.now(), _R.expire_time.type)
        old = sa.select(_R.token_hash).where(_R.expire_time <= over).limit(FORGOTTEN_AT_ONCE)
        tokens = sa.update(MESSAGES).where(MESSAGES.c.token != "", MESSAGES.c.expire_time <= over).values(token="")

        async def some(tx: Tx) -> int:
            return int((await tx.execute(sa.delete(REGISTRATIONS).where(_R.token_hash.in_(old)))).rowcount)

        async def wipe(tx: Tx) -> None:
            await tx.execute(tokens)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass
        await database.retrying(wipe)

    return Loop("forget_registrations", forget, FORGET_PAUSE, 60.0)
