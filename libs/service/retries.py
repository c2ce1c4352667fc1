"""Rows that background work takes up again and again: how often each has failed, by what, and when it is tried next.

A row has failed when what was to be done about it raised. It then waits longer each time, up to a minute, so that what
cannot succeed neither fills the log nor keeps others waiting; the first success forgets it. Who failed STUCK times in a
row is not busy but stuck: somebody has to look.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.obs import metrics
from libs.relay.delivery import wait

STUCK = 10
"""Failures in a row after which a row is named as stuck: that is about five minutes."""
FAILURE_LENGTH = 200
"""Characters that are kept of what a row failed by."""


def columns() -> list[sa.Column[Any]]:
    """What a table of such rows needs besides the time when each is due."""
    return [
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        # Null when it has not failed since it last succeeded. A reason or the type of an exception, never its text.
        sa.Column("failure", sa.String(FAILURE_LENGTH)),
    ]


def failures_of(row: Any) -> dict[str, str]:
    """What an inspection states of a row besides its own values."""
    return {"failures": str(row.failures), "failure": row.failure or ""} if row.failures else {}


class Retries:
    """The failures of one table's rows; each is named by the values of its key."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        counted: tuple[str, str],
        table: sa.Table,
        due: str,
        *key: str,
        unfinished: sa.ColumnElement[bool] | None = None,
    ) -> None:
        """`counted` is the service and the loop under which failures are counted, `due` the column that says when a row
        is taken up. Only rows that are `unfinished` can fail."""
        self._db = database
        self._clock = clock
        self._count = metrics.WORK_FAILURES.labels(*counted)
        self._table = table
        self._due = due
        self._key = key
        self._unfinished = sa.true() if unfinished is None else unfinished

    async def failed(self, item: Any, why: str) -> None:
        """It failed once more: counts it, and puts it off."""
        self._count.inc()
        await self._db.retrying(lambda tx: self._put_off(tx, self._rows(item), why))

    async def went(self, item: Any) -> None:
        """What was to be done about it succeeded, though it may not be at its end."""
        fine = sa.update(self._table).where(*self._rows(item), self._table.c.failures > 0)
        await self._db.retrying(lambda tx: tx.execute(fine.values(failures=0, failure=None)))

    async def _put_off(self, tx: Tx, rows: list[sa.ColumnElement[bool]], why: str) -> None:
        count = sa.select(self._table.c.failures).where(*rows).with_for_update()
        failures = (await tx.execute(count)).scalar()
        if failures is None:
            return
        later = {"failures": failures + 1, "failure": why[:FAILURE_LENGTH], self._due: self._clock.now() + wait(failures + 1)}
        await tx.execute(sa.update(self._table).where(*rows).values(**later))

    def _rows(self, item: Any) -> list[sa.ColumnElement[bool]]:
        values = item if isinstance(item, tuple) else (item,)
        named = [self._table.c[name] == value for name, value in zip(self._key, values, strict=True)]
        return [*named, self._unfinished]
