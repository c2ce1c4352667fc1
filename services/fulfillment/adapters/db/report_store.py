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
_HEADS = {kind: Heads(kind, table) for kind, table in TABLES.items()}


class SqlReportStore:
    """Versions reported and still to report, of supplier orders and shipments alike."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def take(self, now: datetime, until: datetime, limit: int) -> list[Head]:
        """Supplier orders and shipments to report, at most `limit` of each, this relay's until `until`."""
        return [head for heads in _HEADS.values() for head in await heads.take(self._tx, now, until, limit)]

    async def acknowledge(self, orders: Mapping[UUID, int], sent: Mapping[UUID, int]) -> None:
        """Notes the versions that the order service has; a later version stays to be reported."""
        await _HEADS[ORDER].acknowledge(self._tx, orders)
        await _HEADS[SHIPMENT].acknowledge(self._tx, sent)

    async def give_back(self, outcome: Outcome, now: datetime) -> None:
        """Parks or postpones what failed, as far as it is still this relay's."""
        longest = outcome.consumer.limits.longest_wait
        for kind, heads in _HEADS.items():
            failed = [f for f in outcome.failures if f.head.kind == kind]
            await heads.give_back(self._tx, failed, [h for h in outcome.untried if h.kind == kind], now, longest)
