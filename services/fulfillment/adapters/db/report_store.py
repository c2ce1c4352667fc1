"""What the order service has not acknowledged yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from libs.db import Tx
from services.fulfillment.adapters.db.tables import shipments, supplier_orders

LONGEST_WAIT = timedelta(minutes=5)


class ReportStore:
    """Versions told and untold, of supplier orders and shipments alike."""

    async def due_orders(self, tx: Tx, now: datetime, limit: int) -> list[UUID]:
        """Supplier orders to report, taken for this replica for a while that doubles with every try."""
        return await _take(tx, supplier_orders, now, limit)

    async def due_shipments(self, tx: Tx, now: datetime, limit: int) -> list[UUID]:
        """Shipments to report, taken likewise."""
        return await _take(tx, shipments, now, limit)

    async def acknowledge(self, tx: Tx, orders: Mapping[UUID, int], sent: Mapping[UUID, int]) -> None:
        """Notes the versions that the order service has; a later version stays to be told."""
        await _acknowledge(tx, supplier_orders, orders)
        await _acknowledge(tx, shipments, sent)


async def _take(tx: Tx, table: sa.Table, now: datetime, limit: int) -> list[UUID]:
    rows = (
        await tx.execute(
            sa.select(table.c.key, table.c.report_tries)
            .where(table.c.report_time <= now)
            .order_by(table.c.report_time)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if rows:
        await tx.execute(
            sa.update(table)
            .where(table.c.key == sa.bindparam("k"))
            .values(report_time=sa.bindparam("next"), report_tries=table.c.report_tries + 1),
            [
                {
                    "k": r.key,
                    "next": now + min(LONGEST_WAIT, timedelta(seconds=10 * 2 ** min(r.report_tries, 8))),
                }
                for r in rows
            ],
        )
    return [row.key for row in rows]


async def _acknowledge(tx: Tx, table: sa.Table, versions: Mapping[UUID, int]) -> None:
    if not versions:
        return
    c = table.c
    told = sa.bindparam("v", type_=sa.BigInteger)
    await tx.execute(
        sa.update(table)
        .where(c.key == sa.bindparam("k"), c.reported_version <= told)
        .values(
            reported_version=told,
            report_time=sa.case((c.version == told, sa.null()), else_=c.report_time),
        ),
        [{"k": key, "v": version} for key, version in sorted(versions.items())],
    )
