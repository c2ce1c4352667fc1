"""Reporting back: the order service hears of every change, at once if it answers, else from the relay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from libs.clock import Clock
from libs.errors import WaybillError
from libs.obs import get_logger, tracing
from libs.relay.delivery import Head, companies
from libs.relay.limits import RelayLimits
from libs.relay.turn import Relay, Turn
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment import metrics
from services.fulfillment.application.ports import FulfillmentWork, OrderPeer
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

MAX_LINES = 10_000
"""Lines and items in one report: it has to fit into a message."""
_LOG = get_logger("fulfillment.reporting")
Report = SupplierOrder | Shipment


class Reporting:
    """Sends whole states at their versions; the order service ignores what it knows already."""

    def __init__(
        self, units: UnitsOfWork[FulfillmentWork], peer: OrderPeer, clock: Clock, limits: RelayLimits, wait: float
    ) -> None:
        """`wait`: seconds that a caller waits for the order service to hear of a change that is committed anyway."""
        self._units = units
        self._peer = peer
        self._relay = Relay("fulfillment", "relay", clock, limits)
        self._wait = wait
        self._pressing = False

    async def report(self, orders: Sequence[SupplierOrder], sent: Sequence[Shipment] = ()) -> None:
        """Right after a commit, best effort: what is not acknowledged now the relay sends later."""
        if not orders and not sent:
            return
        try:
            unknown = await self._peer.report(orders, sent, self._wait)
            self._relay.consumer.took()
            await self._acknowledge(orders, sent, unknown)
        except WaybillError as error:
            _LOG.info("report_postponed", reason=error.reason, supplier_orders=len(orders), shipments=len(sent))
        except Exception:
            # The change is committed: whatever happens here, the call has succeeded.
            _LOG.exception("report_failed")

    async def relay_once(self) -> int:
        """Sends what is due; returns how many rows. Replicas do not meet: each takes its rows for a while."""
        turn = self._relay.turn()
        heads = await self._units.retrying(lambda work: work.reports.take(turn.began, turn.until, turn.limits.relay_batch))
        if not heads:
            return 0
        items = await self._load(heads)
        for company in companies(heads):
            for some in portions([items[head.key] for head in company if head.key in items]):
                await self._deliver(some, {head.key: head for head in company}, turn)
        await turn.end(lambda outcome, now: self._units.retrying(lambda work: work.reports.give_back(outcome, now)))
        # What the order service does not answer now it need not be asked again at once.
        self._pressing = len(heads) >= turn.limits.relay_batch and not turn.outcome.silences
        return len(heads)

    async def _load(self, heads: Sequence[Head]) -> dict[UUID, Report]:
        by_kind: dict[str, list[UUID]] = {}
        for head in heads:
            by_kind.setdefault(head.kind, []).append(head.key)
        # One moment: a header at its version goes with the units of that version, or a newer state would pass for it.
        async with self._units.reading(snapshot=True) as work:
            orders = await work.orders.of_keys(by_kind["supplier_order"]) if "supplier_order" in by_kind else []
            sent = await work.shipments.of_keys(by_kind["shipment"]) if "shipment" in by_kind else []
        found: list[Report] = [*orders, *sent]
        return {item.key: item for item in found}

    async def _deliver(self, items: Sequence[Report], heads: Mapping[UUID, Head], turn: Turn) -> None:
        async def send(some: Sequence[Report]) -> None:
            orders, sent = _by_kind(some)
            with tracing.work("fulfillment", "relay reports"):
                unknown = await self._peer.report(orders, sent, turn.limits.relay_timeout)
            delivered.append((orders, sent, unknown))

        delivered: list[tuple[list[SupplierOrder], list[Shipment], set[str]]] = []
        await turn.deliver(items, heads, send)
        for orders, sent, unknown in delivered:
            known = await self._acknowledge(orders, sent, unknown)
            metrics.REPORTS_RELAYED.inc(known)
            both: list[Report] = [*orders, *sent]
            for item in both:
                if _keys(item) & unknown:
                    turn.unknown(heads[item.key], "ORDER_UNKNOWN")

    async def _acknowledge(self, orders: Iterable[SupplierOrder], sent: Iterable[Shipment], unknown: set[str]) -> int:
        known = {o.key: o.version for o in orders if not _keys(o) & unknown}
        seen = {s.key: s.version for s in sent if not _keys(s) & unknown}
        if known or seen:
            await self._units.retrying(lambda work: work.reports.acknowledge(known, seen))
        return len(known) + len(seen)

    async def relay(self) -> None:
        """Everything that is due. What fails is tried again, for ever, ever more rarely."""
        while await self.relay_once() and self._pressing:
            pass


def _by_kind(items: Iterable[Report]) -> tuple[list[SupplierOrder], list[Shipment]]:
    orders: list[SupplierOrder] = []
    sent: list[Shipment] = []
    for item in items:
        if isinstance(item, SupplierOrder):
            orders.append(item)
        else:
            sent.append(item)
    return orders, sent


def _keys(item: Report) -> set[str]:
    """Of the buyer orders that it belongs to."""
    if isinstance(item, SupplierOrder):
        return {item.order_key}
    return {part.order_key for part in (*item.items, *item.emptied)}


def portions(items: Sequence[Report]) -> Iterator[Sequence[Report]]:
    """Runs of neighbors whose lines add up to MAX_LINES at most; one that is larger stands alone."""
    start = total = 0
    for n, item in enumerate(items):
        size = len(item.lines) if isinstance(item, SupplierOrder) else len(item.items)
        if n > start and total + size > MAX_LINES:
            yield items[start:n]
            start, total = n, 0
        total += size
    if items:
        yield items[start:]
