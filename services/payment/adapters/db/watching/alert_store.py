"""Payments that need attention, and whether the order service knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from libs.db import Tx
from libs.ids import IdSource
from libs.relay import marks
from libs.relay.delivery import Head, Outcome
from services.payment.adapters.db.tables import ALERTS, PAYMENTS, TRANSACTIONS
from services.payment.application.ports import Alert
from services.payment.domain.payments.payment import Payment

KIND = "payment_alert"
_HEADS = marks.Heads(KIND, ALERTS)
A, P, T = ALERTS.c, PAYMENTS.c, TRANSACTIONS.c


class SqlAlertStore:
    """One row a payment, written in the transaction in which it came to need attention."""

    __slots__ = ("_ids", "_tx")

    def __init__(self, tx: Tx, ids: IdSource) -> None:
        self._tx = tx
        self._ids = ids

    async def raise_for(self, payments: Sequence[Payment], now: datetime) -> None:
        """The order service is to have a report, again if it had one about an earlier attempt."""
        if not payments:
            return
        insert = self._tx.insert(ALERTS)
        due = marks.changed(now)
        again = {"version": A.version + 1, "update_time": insert.excluded.update_time}
        await self._tx.execute(
            insert.on_conflict_do_update(index_elements=["id"], set_={**again, **{n: insert.excluded[n] for n in due}}),
            [
                {
                    "key": self._ids.key(),
                    "id": p.id,
                    "order_key": p.order_key,
                    "version": 1,
                    "create_time": now,
                    "update_time": now,
                    "reported_version": 0,
                    **due,
                }
                for p in payments
            ],
        )

    async def of_keys(self, keys: Collection[UUID]) -> list[Alert]:
        """Alerts with what the gateway said last."""
        declined = sa.select(T.payment_id, T.message, T.create_time).where(T.result == "DECLINED", T.message != "")
        last = declined.subquery()
        rows = await self._tx.execute(
            sa.select(A.key, A.id, A.order_key, A.version, P.state, last.c.message)
            .select_from(ALERTS.join(PAYMENTS, P.id == A.id).outerjoin(last, last.c.payment_id == A.id))
            .where(A.key.in_(list(keys)))
            .order_by(A.key, last.c.create_time)
        )
        found = {row.key: Alert(row.key, row.id, row.order_key, row.version, row.state, row.message or "") for row in rows}
        return list(found.values())

    async def any_due(self, now: datetime) -> bool:
        """Whether there is anything to report; a look that costs no write."""
        return (await self._tx.execute(sa.select(A.key).where(A.report_time <= now).limit(1))).first() is not None

    async def take(self, now: datetime, until: datetime, limit: int) -> list[Head]:
        """What is due; this relay's until `until`."""
        return await _HEADS.take(self._tx, now, until, limit)

    async def acknowledge(self, versions: Mapping[UUID, int]) -> None:
        """The order service knows these versions."""
        await _HEADS.acknowledge(self._tx, versions)

    async def give_back(self, outcome: Outcome, now: datetime) -> None:
        """Parks or postpones what failed, as far as it is still this relay's."""
        await _HEADS.give_back(self._tx, outcome.failures, outcome.untried, now, outcome.consumer.limits.longest_wait)
