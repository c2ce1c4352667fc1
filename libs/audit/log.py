"""Reads the log of administrative acts, and forgets what is old."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from libs.audit.entry import AuditEntry
from libs.audit.trail import AUDIT
from libs.auth import Principal
from libs.clock import Clock
from libs.db import Database, Tx
from libs.query.fields import Field
from libs.query.listing import Listing
from libs.query.request import Page, PageRequest
from libs.service.loops import Loop

FORGET_PAUSE = 3_600.0
"""Seconds between two looks for entries to forget."""
FORGOTTEN_AT_ONCE = 5_000
_TEXTS = ("action", "method", "resource", "resource_id", "user_id", "party", "impersonator_id", "client_id", "request_id")


class SqlAuditLog:
    """The log in a service's own table."""

    def __init__(self, database: Database, metadata: sa.MetaData) -> None:
        """`metadata` is that of the service's tables."""
        self._db = database
        self._table = metadata.tables[AUDIT]
        columns = self._table.c
        fields = {"time": Field(columns.time, "time"), **{name: Field(columns[name]) for name in _TEXTS}}
        self._listing = Listing(fields, columns.id, default_order="time desc")

    async def list(self, caller: Principal, request: PageRequest) -> Page[AuditEntry]:
        """See the protocol."""
        plan = self._listing.plan(self._db.dialect, request, {"party": caller.party_id, "user": caller.identity})
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(self._table))
        return page.map(lambda row: AuditEntry(**{name: row._mapping[name] for name in AuditEntry.__slots__}))

    async def forget(self, older_than: datetime, most: int = FORGOTTEN_AT_ONCE) -> int:
        """Forgets entries from before a time, at most so many; returns how many."""
        c = self._table.c
        old = sa.select(c.id).where(c.time < older_than).order_by(c.time, c.id).limit(most)
        statement = sa.delete(self._table).where(c.id.in_(old))

        async def some(tx: Tx) -> int:
            return int((await tx.execute(statement)).rowcount)

        return await self._db.retrying(some)

    def forgetting(self, clock: Clock, kept: timedelta, pause: float = FORGET_PAUSE) -> Loop:
        """A background loop that forgets what is older than `kept`."""

        async def forget() -> None:
            while await self.forget(clock.now() - kept) >= FORGOTTEN_AT_ONCE:
                pass

        return Loop("forget_audit", forget, pause, min(pause, 60.0))
