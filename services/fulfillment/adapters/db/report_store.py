"""What the order service has not acknowledged yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from libs.db import Tx
from libs.relay.delivery import Head, Outcome
from libs.relay.marks import Heads
from services.fulfillment.adapters.db.tables import shipments, supplier_orders

ORDER, SHIPMENT = "supplier_order", "shipment"
TABLES = {ORDER: supplier_orders, SHIPMENT: shipments}
"""Whose states are reported, by the kind that operators read."""


class ReportStore:
    """Versions told and untold, of supplier orders and shipments alike."""

    def __init__(self) -> None:
        self._heads = {kind: Heads(kind, table) for kind, table in TABLES.items()}

    async def take(self, tx: Tx, now: datetime, until: datetime, limit: int) -> list[Head]:
        """Supplier orders and shipments to report, at most `limit` of each, this relay's until `until`."""
        return [head for heads in self._heads.values() for head in await heads.take(tx, now, until, limit)]

    async def acknowledge(self, tx: Tx, orders: Mapping[UUID, int], sent: Mapping[UUID, int]) -> None:
        """Notes the versions that the order service has; a later version stays to be told."""
        await self._heads[ORDER].acknowledge(tx, orders)
        await self._heads[SHIPMENT].acknowledge(tx, sent)

    async def give_back(self, tx: Tx, outcome: Outcome, now: datetime) -> None:
        """Parks or postpones what failed, as far as it is still this relay's."""
        for kind, heads in self._heads.items():
            failed = [f for f in outcome.failures if f.head.kind == kind]
            await heads.give_back(tx, failed, [h for h in outcome.untried if h.kind == kind], now)
