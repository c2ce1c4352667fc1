"""The directory's own invariants."""

from __future__ import annotations

from collections.abc import AsyncIterator

import sqlalchemy as sa

from libs.audit import Finding, Record, Summary
from libs.db import Database
from services.directory.adapters.db.tables import BUYERS, CLIENTS, SELLERS, SIGNING_KEYS, SUPPLIERS, USERS


class Audit:
    """Users belong to companies that exist; clients act as users that exist; there is a key and one seller."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> AsyncIterator[Record]:
        """Findings, then the summary."""
        findings: list[Finding] = []
        async with self._db.reading(snapshot=True) as tx:
            parties = {f"SELLER:{id}" for id in (await tx.execute(sa.select(SELLERS.c.id))).scalars()}
            sellers = len(parties)
            parties |= {f"BUYER:{id}" for id in (await tx.execute(sa.select(BUYERS.c.id))).scalars()}
            parties |= {f"SUPPLIER:{id}" for id in (await tx.execute(sa.select(SUPPLIERS.c.id))).scalars()}
            users = (await tx.execute(sa.select(USERS.c.id, USERS.c.party))).all()
            clients = (await tx.execute(sa.select(CLIENTS.c.id, CLIENTS.c.default_user_id))).all()
            keys = (await tx.execute(sa.select(sa.func.count()).select_from(SIGNING_KEYS))).scalar() or 0
        findings += [
            Finding("directory", "user_has_company", u.id, f"{u.party} does not exist")
            for u in users
            if u.party not in parties
        ]
        people = {u.id for u in users}
        findings += [
            Finding("directory", "client_has_default_user", c.id, f"{c.default_user_id} does not exist")
            for c in clients
            if c.default_user_id and c.default_user_id not in people
        ]
        if sellers != 1 or keys < 1:
            findings.append(Finding("directory", "one_seller_and_a_key", "directory", f"{sellers} and {keys}"))
        for finding in findings:
            yield finding
        yield Summary("directory", 3, len(users) + len(clients) + len(parties), len(findings))
