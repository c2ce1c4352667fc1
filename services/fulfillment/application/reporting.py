"""Reporting back: the order service hears of every change, at once if it answers, else from the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from libs.clock import Clock
from libs.errors import WaybillError
from libs.obs import get_logger
from services.fulfillment.application.ports import (
    OrderPeer,
    ReportPort,
    ShipmentPort,
    SupplierOrderPort,
    Transactions,
    Tx,
)
from services.fulfillment.domain.shipment import Shipment
from services.fulfillment.domain.supplier_order import SupplierOrder

BATCH = 500
"""Supplier orders, and shipments, in one report."""
_LOG = get_logger("fulfillment.reporting")


class Reporting:
    """Sends whole states at their versions; the order service ignores what it knows already."""

    def __init__(
        self,
        transactions: Transactions,
        reports: ReportPort,
        orders: SupplierOrderPort,
        sent: ShipmentPort,
        peer: OrderPeer,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._reports = reports
        self._orders = orders
        self._shipments = sent
        self._peer = peer
        self._clock = clock

    async def tell(self, orders: Sequence[SupplierOrder], sent: Sequence[Shipment] = ()) -> None:
        """Right after a commit, best effort: what is not acknowledged now the relay sends later."""
        if not orders and not sent:
            return
        try:
            unknown = await self._peer.report(orders, sent)
            await self._acknowledge(orders, sent, unknown)
        except WaybillError as error:
            _LOG.info(
                "report_postponed", reason=error.reason, supplier_orders=len(orders), shipments=len(sent)
            )

    async def relay_once(self) -> int:
        """Sends what is due; returns how many rows. Safe in several replicas: each takes its rows for a
        while.
        """

        async def take(tx: Tx) -> tuple[list[SupplierOrder], list[Shipment]]:
            now = self._clock.now()
            order_keys = await self._reports.due_orders(tx, now, BATCH)
            shipment_keys = await self._reports.due_shipments(tx, now, BATCH)
            orders = await self._orders.of_keys(tx, order_keys) if order_keys else []
            sent = await self._shipments.of_keys(tx, shipment_keys) if shipment_keys else []
            return orders, sent

        orders, sent = await self._transactions.retrying(take)
        if orders or sent:
            unknown = await self._peer.report(orders, sent)
            await self._acknowledge(orders, sent, unknown)
        return len(orders) + len(sent)

    async def _acknowledge(
        self, orders: Iterable[SupplierOrder], sent: Iterable[Shipment], unknown: set[str]
    ) -> None:
        told = {o.key: o.version for o in orders if o.order_key not in unknown}
        seen = {s.key: s.version for s in sent if not any(item.order_key in unknown for item in s.items)}
        if told or seen:
            await self._transactions.retrying(lambda tx: self._reports.acknowledge(tx, told, seen))

    async def run(self, pause: float) -> None:
        """The relay: until it is canceled. What fails is tried again, for ever, ever more rarely."""
        while True:
            try:
                while await self.relay_once() >= BATCH:
                    pass
            except WaybillError as error:
                _LOG.info("relay_postponed", reason=error.reason)
            except Exception:
                _LOG.exception("relay_failed")
            await asyncio.sleep(pause)
