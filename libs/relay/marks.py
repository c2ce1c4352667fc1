"""An outbox within the aggregates' own rows: which version the consumer has, and when the next one is sent.

What is sent is a whole state at its version, so one mark per aggregate is all of its pending changes, written by the very
statement that changes it. A relay takes heads for a while, sends them, and acknowledges by version; its consumer ignores
versions older than the one it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.audit.trail import Act, note
from libs.clock import Clock
from libs.db import Database, Tx, UtcTime
from libs.errors import missing
from libs.invariants import Fact
from libs.query import Field, Listing, Page, PageRequest
from libs.relay.delivery import REASON_LENGTH, Failure, Head, defects, wait

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a parked change is due."""


def columns() -> list[sa.Column[Any]]:
    """What an aggregate's table needs besides `key`, `version` and `update_time`."""
    return [
        sa.Column("reported_version", sa.BigInteger, nullable=False),
        # Null when nothing is left to report.
        sa.Column("report_time", UtcTime(), index=True),
        sa.Column("report_tries", sa.Integer, nullable=False),
        sa.Column("report_lease", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("report_parked_time", UtcTime()),
        sa.Column("report_error", sa.String(REASON_LENGTH)),
    ]


def changed(due: datetime) -> dict[str, Any]:
    """What a change writes into its aggregate's row: it is to be reported, and a rejected older state does not matter."""
    return {"report_time": due, "report_tries": 0, "report_parked_time": None, "report_error": None}


def parked(context: str, kind: str, row: Any, order_key: str = "") -> Fact:
    """What an inspection states of a row whose change is parked, about an order: the row's own unless another is named."""
    values = {
        "kind": kind,
        "id": row.id,
        "key": str(row.key),
        "since": row.report_parked_time.isoformat(),
        "error": row.report_error or "",
    }
    return Fact(context, "parked", order_key or str(row.order_key), values)


def tried(row: Any) -> dict[str, str]:
    """What an inspection states of a change that has been sent in vain, though it is not parked."""
    return {"failures": str(row.report_tries), "failure": row.report_error or ""} if row.report_tries else {}


class Heads:
    """The pending changes of one kind of aggregate."""

    def __init__(self, kind: str, table: sa.Table) -> None:
        self._kind = kind
        self._table = table

    async def take(self, tx: Tx, now: datetime, until: datetime, limit: int) -> list[Head]:
        """What is due, longest first, and for this caller alone until `until`; rows that others lock are left out."""
        t = self._table.c
        rows = (
            await tx.execute(
                sa.select(t.key, t.version, t.report_lease, t.report_tries, t.report_error)
                .where(t.report_time <= now)
                .order_by(t.report_time)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
        ).all()
        if rows:
            keys = [row.key for row in rows]
            mine = sa.update(self._table).where(t.key.in_(keys))
            await tx.execute(mine.values(report_time=until, report_lease=t.report_lease + 1))
        return [
            Head(self._kind, row.key, row.version, row.report_lease + 1, row.report_tries, defects(row.report_error))
            for row in rows
        ]

    async def acknowledge(self, tx: Tx, versions: Mapping[UUID, int]) -> None:
        """Notes versions that the consumer has, in any order and however late; a later version is still to be reported."""
        if not versions:
            return
        t = self._table.c
        known = sa.bindparam("v", type_=sa.BigInteger)
        done = t.version == known

        def unless_done(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
            return sa.case((done, sa.null()), else_=column)

        await tx.execute(
            sa.update(self._table)
            .where(t.key == sa.bindparam("k"), t.reported_version <= known)
            .values(
                reported_version=known,
                report_time=unless_done(t.report_time),
                report_parked_time=unless_done(t.report_parked_time),
                report_error=unless_done(t.report_error),
            ),
            [{"k": key, "v": version} for key, version in sorted(versions.items())],
        )

    async def give_back(
        self, tx: Tx, failures: Sequence[Failure], untried: Sequence[Head], now: datetime, longest: timedelta
    ) -> None:
        """Parks or postpones what failed and frees what was not tried, as far as it is still this caller's.

        Whatever changed, was taken by another relay or retried by an operator meanwhile is left as it is. `longest` is the most
        that a failure waits.
        """
        rows = [_failed(failure, now, longest) for failure in failures]
        rows += [_row(head, now, head.tries, None, None) for head in untried]
        if not rows:
            return
        t = self._table.c
        await tx.execute(
            sa.update(self._table)
            .where(
                t.key == sa.bindparam("b_key"),
                t.version == sa.bindparam("b_version", type_=sa.BigInteger),
                t.report_lease == sa.bindparam("b_lease", type_=sa.BigInteger),
                t.report_time.is_not(None),
            )
            .values(
                report_time=sa.bindparam("b_time"),
                report_tries=sa.bindparam("b_tries"),
                report_parked_time=sa.bindparam("b_parked"),
                report_error=sa.func.coalesce(sa.bindparam("b_error", type_=sa.String), t.report_error),
            ),
            sorted(rows, key=lambda row: row["b_key"]),
        )


def _failed(failure: Failure, now: datetime, longest: timedelta) -> dict[str, Any]:
    tries = failure.head.tries + 1
    due = NEVER if failure.parks else now + wait(tries, longest)
    return _row(failure.head, due, tries, now if failure.parks else None, failure.reason)


def _row(head: Head, due: datetime, tries: int, parked: datetime | None, error: str | None) -> dict[str, Any]:
    return {
        "b_key": head.key,
        "b_version": head.version,
        "b_lease": head.lease,
        "b_time": due,
        "b_tries": tries,
        "b_parked": parked,
        "b_error": error,
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """A pending change, as operators see it."""

    kind: str
    id: str
    sequence: int
    """The aggregate's version; the consumer has `delivered` at most."""
    delivered: int
    change_time: datetime
    due_time: datetime | None
    """None when it is parked."""
    tries: int
    parked_time: datetime | None
    error: str


class Outbox:
    """All pending changes of one service: tables by the kind of their aggregates, which have a public `id`."""

    def __init__(self, database: Database, tables: Mapping[str, sa.Table], clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._tables = dict(tables)
        self._all = sa.union_all(*(_entries(kind, table) for kind, table in sorted(self._tables.items()))).subquery()
        c = self._all.c
        self._listing = Listing(
            {
                "kind": Field(c.kind),
                "id": Field(c.id),
                "parked": Field(c.parked, "bool"),
                "tries": Field(c.tries, "int"),
                "change_time": Field(c.change_time, "time"),
            },
            c.key,
            default_order="change_time",
        )

    async def list(self, request: PageRequest) -> Page[Entry]:
        """A page."""
        plan = self._listing.plan(self._db.dialect, request)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(self._all))
        return page.map(_entry)

    async def count(self, request: PageRequest) -> int:
        """How many entries there are from where the request's token goes on."""
        plan = self._listing.plan(self._db.dialect, request)
        async with self._db.reading() as tx:
            return int((await tx.execute(plan.counting(sa.select(self._all), rest=True))).scalar_one())

    async def retry(self, kind: str, id: str) -> Entry:
        """Makes a pending change due now, parked or not; raises NOT_FOUND when nothing of it is pending."""
        table = self._tables.get(kind)
        if table is None:
            raise missing("outbox entry", f"{kind}/{id}")
        t = table.c
        again = (
            sa.update(table)
            .where(t.id == id, t.report_time.is_not(None))
            .values(report_time=self._clock.now(), report_parked_time=None, report_tries=0, report_lease=t.report_lease + 1)
        )

        async def work(tx: Tx) -> Any:
            await tx.execute(again)
            found = (await tx.execute(_entries(kind, table).where(t.id == id))).first()
            if found is not None:
                note(tx, table.metadata, [Act(f"outbox entry of {kind}", id, self._clock.now())])
            return found

        row = await self._db.retrying(work)
        if row is None:
            raise missing("outbox entry", f"{kind}/{id}")
        return _entry(row)


def _entries(kind: str, table: sa.Table) -> sa.Select[Any]:
    t = table.c
    return sa.select(
        sa.literal(kind, sa.String).label("kind"),
        t.key.label("key"),
        sa.type_coerce(t.id, sa.String).label("id"),
        t.version.label("version"),
        t.reported_version.label("delivered"),
        t.update_time.label("change_time"),
        t.report_time.label("due_time"),
        t.report_tries.label("tries"),
        t.report_parked_time.is_not(None).label("parked"),
        t.report_parked_time.label("parked_time"),
        t.report_error.label("error"),
    ).where(t.report_time.is_not(None))


def _entry(row: Any) -> Entry:
    due = None if row.parked_time else row.due_time
    return Entry(
        kind=row.kind,
        id=row.id,
        sequence=row.version,
        delivered=row.delivered,
        change_time=row.change_time,
        due_time=due,
        tries=row.tries,
        parked_time=row.parked_time,
        error=row.error or "",
    )
