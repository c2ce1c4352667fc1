"""What is on its way in the order service, for its metrics."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database
from libs.obs.metrics import Reading
from services.order import metrics
from services.order.adapters.db.building.cart_store import oldest
from services.order.adapters.db.tables import CANCELLATIONS, CAPTURES, ORDERS, SUBMISSIONS
from services.order.application.limits import CartLimits

STATES = ("TRYING", "ACCEPTED", "REFUSED")
CANCEL_STATES = ("FREEZING", "DECIDED")


class Gauges:
    """Counts what is unfinished; partial and state indexes answer, however many orders there are."""

    def __init__(self, database: Database, clock: Clock, carts: CartLimits) -> None:
        self._db = database
        self._ages = carts.ages
        self._clock = clock

    async def __call__(self) -> Sequence[Reading]:
        """The readings now."""
        s, c = SUBMISSIONS.c, CANCELLATIONS.c
        count = sa.func.count().label("found")
        attempts = (
            sa.select(s.state, count, sa.func.min(s.begin_time).label("oldest")).where(sa.not_(s.finished)).group_by(s.state)
        )
        cancels = sa.select(c.state, count).where(c.state.in_(CANCEL_STATES)).group_by(c.state)
        held = sa.select(sa.func.count()).where(ORDERS.c.held, ORDERS.c.kind == "BUYER", ORDERS.c.status == "OPEN")
        p = CAPTURES.c
        missing = sa.select(sa.func.count().label("found"), sa.func.min(p.begin_time).label("oldest")).where(
            p.next_action_time.is_not(None)
        )
        o = ORDERS.c
        marked = sa.select(o.sub_status, count).where(sa.text("sub_status <> ''")).group_by(o.sub_status)
        async with self._db.reading() as tx:
            left = {kind: (await tx.execute(oldest(kind))).scalar() for kind, age in self._ages.items() if age}
            on_hold = (await tx.execute(held)).scalar_one()
            submitted = {row.state: row for row in await tx.execute(attempts)}
            in_sub_status = {row.sub_status: row.found for row in await tx.execute(marked)}
            captures = (await tx.execute(missing)).one()
            canceled = {row.state: row.found for row in await tx.execute(cancels)}
        now = self._clock.now()
        age = max(((now - row.oldest).total_seconds() for row in submitted.values()), default=0.0)
        found = [metrics.SUBMISSIONS.at(submitted[state].found if state in submitted else 0, state) for state in STATES]
        found += [metrics.CANCELLATIONS.at(canceled.get(state, 0), state) for state in CANCEL_STATES]
        found += [metrics.ORDERS_IN_SUB_STATUS.at(number, id) for id, number in sorted(in_sub_status.items())]
        waits = 0.0 if captures.oldest is None else (now - captures.oldest).total_seconds()
        found += [metrics.CAPTURES.at(captures.found), metrics.CAPTURES_AGE.at(max(waits, 0.0))]
        for kind, time in left.items():
            over = 0.0 if time is None else (now - time - self._ages[kind]).total_seconds()
            found.append(metrics.CARTS_AGE.at(max(over, 0.0), kind.value))
        return [*found, metrics.ORDERS_HELD.at(on_hold), metrics.SUBMISSIONS_AGE.at(max(age, 0.0))]
