"""Reporting back: the order service hears of every change, at once if it answers, else from the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from libs.clock import Clock
from libs.errors import WaybillError
from libs.obs import get_logger, metrics, tracing
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

BATCH = 200
"""Supplier orders, and shipments, that the relay takes at once."""
MAX_LINES = 10_000
"""Lines and items in one report: it has to fit into a message."""
PATIENCE_INLINE = 2.0
"""Seconds that a caller waits for the order service to hear of a change that is committed anyway."""
PATIENCE_RELAY = 20.0
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
            await self._send(orders, sent, PATIENCE_INLINE)
        except WaybillError as error:
            _LOG.info("report_postponed", reason=error.reason, supplier_orders=len(orders), shipments=len(sent))
        except Exception:
            # The change is committed: whatever happens here, the call has succeeded.
            _LOG.exception("report_failed")

    async def relay_once(self) -> int:
        """Sends what is due; returns how many rows. Replicas do not meet: each takes its rows for a while."""

        async def take(tx: Tx) -> tuple[list[UUID], list[UUID]]:
            now = self._clock.now()
            orders = await self._reports.due_orders(tx, now, BATCH)
            return orders, await self._reports.due_shipments(tx, now, BATCH)

        order_keys, shipment_keys = await self._transactions.retrying(take)
        if not order_keys and not shipment_keys:
            return 0
        async with self._transactions.reading() as tx:
            orders = await self._orders.of_keys(tx, order_keys) if order_keys else []
            sent = await self._shipments.of_keys(tx, shipment_keys) if shipment_keys else []
        for some_orders, some_sent in portions(orders, sent):
            with tracing.work("fulfillment", "relay reports"):
                await self._send(some_orders, some_sent, PATIENCE_RELAY)
            metrics.REPORTS_RELAYED.inc(len(some_orders) + len(some_sent))
        return len(orders) + len(sent)

    async def _send(self, orders: Sequence[SupplierOrder], sent: Sequence[Shipment], patience: float) -> None:
        unknown = await self._peer.report(orders, sent, patience)
        await self._acknowledge(orders, sent, unknown)

    async def _acknowledge(self, orders: Iterable[SupplierOrder], sent: Iterable[Shipment], unknown: set[str]) -> None:
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


def portions(
    orders: Sequence[SupplierOrder], sent: Sequence[Shipment]
) -> Iterator[tuple[Sequence[SupplierOrder], Sequence[Shipment]]]:
    """Reports of bounded size, supplier orders first."""
    for start, end in _runs([len(o.lines) for o in orders]):
        yield orders[start:end], ()
    for start, end in _runs([len(s.items) for s in sent]):
        yield (), sent[start:end]


def _runs(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbors whose sizes add up to MAX_LINES at most; one that is larger stands alone."""
    start = total = 0
    for n, size in enumerate(sizes):
        if n > start and total + size > MAX_LINES:
            yield start, n
            start, total = n, 0
        total += size
    if sizes:
        yield start, len(sizes)
