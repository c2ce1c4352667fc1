"""What uses a resource, looked for when it is to be deleted."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import Tx
from libs.errors import Use
from libs.resource.database.resource import Resource

SHOWN = 5
"""Ids of each kind that are named."""


async def uses_of(tx: Tx, resource: Resource, id: str) -> list[Use]:
    """Of every kind that uses it how many there are, and some of them by name: one statement a kind."""
    found: list[Use] = []
    for use in resource.uses:
        statement = (
            sa.select(use.key.label("key"), sa.func.count().over().label("number"))
            .where(use.referring(tx.dialect, id))
            .order_by(use.key)
            .limit(SHOWN)
        )
        rows = (await tx.execute(statement)).all()
        if rows:
            found.append(Use(use.kind, rows[0].number, [row.key for row in rows]))
    return found
