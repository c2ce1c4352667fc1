"""What is remembered of orders that are gone, until it is forgotten."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.payment.adapters.db.tables import ATTEMPTS, ORDERS, PAYMENTS

FORGOTTEN_AT_ONCE = 1_000
_O, _A = ORDERS.c, ATTEMPTS.c
_EMPTY = (
    ~sa.exists().where(PAYMENTS.c.order_key == _O.order_key),
    ~sa.exists().where(_A.order_key == _O.order_key, _A.state.in_(("RESERVED", "CONFIRMED"))),
)
"""An order that something is held for would be a finding, which is not to be hidden."""


def forgetting(database: Database, clock: Clock, kept: timedelta, pause: float) -> Loop:
    """A background loop that forgets orders that are gone since before `kept`, and the attempts to submit them, which were
    refused; safe in every replica. Until then a payment or an attempt that comes late is answered by what is remembered."""

    async def forget() -> None:
        old = sa.select(_O.order_key).where(_O.delete_time < clock.now() - kept, *_EMPTY).limit(FORGOTTEN_AT_ONCE)

        async def some(tx: Tx) -> int:
            keys = (await tx.execute(old)).scalars().all()
            if keys:
                await tx.execute(sa.delete(ATTEMPTS).where(_A.order_key.in_(keys)))
                await tx.execute(sa.delete(ORDERS).where(_O.order_key.in_(keys)))
            return len(keys)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_gone_orders", forget, pause, min(pause, 60.0))
