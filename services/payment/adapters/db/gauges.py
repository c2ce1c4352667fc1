"""What is reserved in payment, what gateways owe an answer to, and what needs a person, for its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database
from libs.obs.metrics import Reading
from services.payment import metrics
from services.payment.adapters.db.tables import ALERTS, ATTEMPTS, PAYMENTS, REDIRECTS, TO_REFUND, TRANSACTIONS
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import TransactionType
from services.payment.domain.redirects.redirect import DUE, RedirectState

ASKED = (TransactionType.VOID, TransactionType.CAPTURE, TransactionType.REFUND, TransactionType.AUTHORIZE)
"""What a loop asks gateways about. Authorizations among it are renewals: those of a submit end with its attempt."""


class Gauges:
    """Counts what is unfinished; indexes over states and times answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def __call__(self) -> Sequence[Reading]:
        """The readings now."""
        t = TRANSACTIONS.c
        reserved = sa.select(sa.func.count()).where(ATTEMPTS.c.state == "RESERVED")
        pending = sa.select(t.type, sa.func.count().label("found")).where(t.ask_time.is_not(None)).group_by(t.type)
        a = ALERTS.c
        unreported = sa.select(
            sa.func.count().label("found"),
            sa.func.count(a.report_parked_time).label("parked"),
            sa.func.min(a.update_time).label("oldest"),
        ).where(a.report_time.is_not(None))
        # A payment in ATTENTION has an alert, and alerts are few.
        troubled = sa.select(sa.func.count()).select_from(ALERTS.join(PAYMENTS, PAYMENTS.c.id == a.id))
        # An index holds those that there are: it wants the very words of its condition.
        owing = sa.select(sa.func.count().label("found"), sa.func.min(PAYMENTS.c.update_time).label("oldest")).where(TO_REFUND)
        r = REDIRECTS.c
        unended = sa.select(r.state, sa.func.count().label("found"), sa.func.min(r.update_time).label("oldest"))
        # Something is to be done about exactly those that are not over: an index over its time answers.
        unended = unended.where(r.ask_time.is_not(None)).group_by(r.state)
        async with self._db.reading() as tx:
            found = (await tx.execute(reserved)).scalar_one()
            by_type = {row.type: row.found for row in await tx.execute(pending)}
            redirects = {row.state: row for row in await tx.execute(unended)}
            alerts = (await tx.execute(unreported)).one()
            attention = (await tx.execute(troubled.where(PAYMENTS.c.state == State.ATTENTION.value))).scalar_one()
            owed = (await tx.execute(owing)).one()
        now = self._clock.now()

        def age(oldest: datetime | None) -> float:
            return max((now - (oldest or now)).total_seconds(), 0.0)

        ending = redirects.get(RedirectState.ENDING.value)
        return [
            metrics.RESERVATIONS.at(found, "payment", "RESERVED"),
            *(metrics.TRANSACTIONS.at(by_type.get(type, 0), type) for type in ASKED),
            *(metrics.REDIRECTS.at(redirects[s].found if s in redirects else 0, s) for s in sorted(DUE)),
            metrics.REDIRECTS_ENDING_AGE.at(age(ending and ending.oldest)),
            metrics.ATTENTION.at(attention),
            metrics.TO_REFUND.at(owed.found),
            metrics.TO_REFUND_AGE.at(age(owed.oldest)),
            metrics.ALERTS.at(alerts.found),
            metrics.ALERTS_PARKED.at(alerts.parked),
            metrics.ALERTS_AGE.at(age(alerts.oldest)),
        ]
