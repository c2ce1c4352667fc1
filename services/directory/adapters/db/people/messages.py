"""Messages to people, until they are forgotten."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from libs.auth import Principal
from libs.clock import Clock
from libs.db import Database, Tx
from libs.ids import valid_id
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from libs.service.loops import Loop
from services.directory.adapters.db.tables import MESSAGES, REGISTRATIONS
from services.directory.domain.people.registrations import WAITING, Message

FORGOTTEN_AT_ONCE = 10_000
FORGET_PAUSE = 3_600.0
_M, _R = MESSAGES.c, REGISTRATIONS.c
_LISTING = Listing(
    {
        "id": Field(_M.id),
        "kind": Field(_M.kind),
        "email": Field(_M.email),
        "username": Field(_M.username),
        "client_id": Field(_M.client_id),
        "sent": Field(_M.sent_time.is_not(None), "bool"),
        "create_time": Field(_M.create_time, "time"),
        "sent_time": Field(_M.sent_time, "time"),
    },
    _M.id,
)


class SqlMessages:
    """Those of all people within one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, message: Message, digest: str) -> None:
        """Stores a message about a registration; of one e-mail address the oldest of too many that are not sent give way."""
        unsent = sa.select(_M.id).where(_M.email == message.email, _M.sent_time.is_(None))
        too_many = unsent.order_by(_M.create_time.desc(), _M.id.desc()).offset(WAITING - 1)
        await self._tx.execute(sa.delete(MESSAGES).where(_M.id.in_(too_many)))
        row = {
            "id": message.id,
            "kind": message.kind,
            "email": message.email,
            "username": message.username,
            "first_name": message.first_name,
            "client_id": message.client_id,
            "token": message.token,
            "token_hash": digest,
            "expire_time": message.expire_time,
            "create_time": message.create_time,
            "sent_time": message.sent_time,
        }
        await self._tx.execute(self._tx.insert(MESSAGES), row)

    async def spend(self, digest: str) -> None:
        """The token of these messages was used."""
        await self._tx.execute(sa.update(MESSAGES).where(_M.token_hash == digest, _M.token != "").values(token=""))

    async def mark_sent(self, ids: Collection[str], now: datetime) -> tuple[set[str], set[str]]:
        """Marks those that are not sent yet and takes their tokens away; which exist, and which were marked now."""
        wanted = sorted(id for id in ids if valid_id(id))
        known = set((await self._tx.execute(sa.select(_M.id).where(_M.id.in_(wanted)).with_for_update())).scalars())
        unsent = sa.update(MESSAGES).where(_M.id.in_(wanted), _M.sent_time.is_(None))
        return known, set((await self._tx.execute(unsent.values(sent_time=now, token="").returning(_M.id))).scalars())


class SqlMessageLists:
    """Reads messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def page(self, caller: Principal, request: PageRequest) -> Page[Message]:
        """A page of all messages, each with its token as long as that can be used."""
        plan = _LISTING.plan(self._db.dialect, request, {"party": caller.party_id, "user": caller.user_id})
        now = sa.literal(self._clock.now(), _R.expire_time.type)
        waits = sa.exists().where(_R.token_hash == _M.token_hash, _R.expire_time > now)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(MESSAGES, waits.label("waits")))
        return page.map(_message)


def _message(row: Any) -> Message:
    return Message(
        id=row.id,
        kind=row.kind,
        email=row.email,
        username=row.username,
        first_name=row.first_name,
        client_id=row.client_id,
        token=row.token if row.waits else "",
        expire_time=row.expire_time,
        create_time=row.create_time,
        sent_time=row.sent_time,
    )


def forgetting(database: Database, clock: Clock, kept: timedelta) -> Loop:
    """A background loop that forgets messages that are older than `kept`."""

    async def forget() -> None:
        old = sa.select(_M.id).where(_M.create_time < sa.literal(clock.now() - kept, _M.create_time.type))

        async def some(tx: Tx) -> int:
            return int((await tx.execute(sa.delete(MESSAGES).where(_M.id.in_(old.limit(FORGOTTEN_AT_ONCE))))).rowcount)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_messages", forget, FORGET_PAUSE, 60.0)
