"""What is reserved in payment, and what gateways owe an answer to, for its metrics."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from libs.db import Database
from libs.obs import metrics
from services.payment.adapters.db.tables import ATTEMPTS, TRANSACTIONS
from services.payment.domain.transaction import TransactionType

ASKED = (TransactionType.VOID, TransactionType.CAPTURE, TransactionType.REFUND)


class Gauges:
    """Counts what is unfinished; indexes over states and times answer."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> Sequence[metrics.Reading]:
        """The readings now."""
        t = TRANSACTIONS.c
        reserved = sa.select(sa.func.count()).where(ATTEMPTS.c.state == "RESERVED")
        pending = sa.select(t.type, sa.func.count().label("found")).where(t.ask_time.is_not(None)).group_by(t.type)
        async with self._db.reading() as tx:
            found = (await tx.execute(reserved)).scalar_one()
            by_type = {row.type: row.found for row in await tx.execute(pending)}
        return [
            metrics.RESERVATIONS.at(found, "payment", "RESERVED"),
            *(metrics.TRANSACTIONS.at(by_type.get(type, 0), type) for type in ASKED),
        ]
