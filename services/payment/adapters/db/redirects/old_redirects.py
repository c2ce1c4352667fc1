"""What is remembered of authorizations that waited for their buyers, until it is forgotten."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.payment.adapters.db.tables import PAYMENTS, REDIRECTS
from services.payment.domain.redirects.redirect import RedirectState

FORGOTTEN_AT_ONCE = 1_000
_R = REDIRECTS.c
_OVER = sorted(state.value for state in (RedirectState.DECLINED, RedirectState.ENDED))
"""What an attempt has taken over is ended with its payment: without one it would be a finding, which is not to be hidden."""
_OLD = (_R.state.in_(_OVER), ~sa.exists().where(PAYMENTS.c.id == _R.payment_id, PAYMENTS.c.order_key == _R.order_key))


def forgetting(database: Database, clock: Clock, kept: timedelta, pause: float) -> Loop:
    """A background loop that forgets those that are over since before `kept` and whose payment is gone; safe in every replica.
    One whose payment is there stays: its transactions name it."""

    async def forget() -> None:
        old = sa.select(_R.id).where(_R.update_time < clock.now() - kept, *_OLD).limit(FORGOTTEN_AT_ONCE)

        async def some(tx: Tx) -> int:
            ids = (await tx.execute(old)).scalars().all()
            if ids:
                await tx.execute(sa.delete(REDIRECTS).where(_R.id.in_(ids)))
            return len(ids)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_redirects", forget, pause, min(pause, 60.0))
