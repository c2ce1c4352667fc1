"""Network addresses in the log of acts, where it says from where attempts to sign in or to register were refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.directory.adapters.db.tables import AUDIT
from services.directory.adapters.db.tokens.sign_ins import SIGN_IN

FORGET_PAUSE = 3_600.0
FORGOTTEN_AT_ONCE = 1_000
FROM = " from "
FORGOTTEN = "a forgotten address"
_NONE = ("anywhere", "an unknown address", FORGOTTEN)
"""What stands where an address would, and is none."""
_A = AUDIT.c


def forgetting(database: Database, clock: Clock, kept: timedelta, pause: float = FORGET_PAUSE) -> Loop:
    """A background loop that takes addresses out of entries that are older than `kept`; safe in every replica. The entries stay:
    whom it was tried at, when, and through which client."""

    async def forget() -> None:
        while await database.retrying(lambda tx: _forget(tx, clock.now() - kept)) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_addresses", forget, pause, min(pause, 60.0))


async def _forget(tx: Tx, before: datetime) -> int:
    """At most so many, in two statements; returns how many."""
    without = [_A.resource_id.not_like(f"%{FROM}{nowhere}") for nowhere in _NONE]
    old = sa.select(_A.id, _A.resource_id).where(
        _A.resource == SIGN_IN, _A.time < before, _A.resource_id.like(f"%{FROM}%"), *without
    )
    found = (await tx.execute(old.order_by(_A.id).limit(FORGOTTEN_AT_ONCE))).all()
    if found:
        # A name may have the word in it too: the address is what comes last.
        rows = [{"b_id": row.id, "b_said": f"{row.resource_id.rpartition(FROM)[0]}{FROM}{FORGOTTEN}"} for row in found]
        await tx.execute(sa.update(AUDIT).where(_A.id == sa.bindparam("b_id")).values(resource_id=sa.bindparam("b_said")), rows)
    return len(found)
