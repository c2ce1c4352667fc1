"""ReportFulfillment: whole states at their versions; quantities, statuses and completion are recomputed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from libs.clock import Clock
from libs.json_value import JsonObject
from services.order.application.ports import OrderWork, Units
from services.order.application.records import ReportedSupplierOrder, Reports, SupplierOrderView
from services.order.domain.history import changed
from services.order.domain.model import Event, Line, Order
from services.order.domain.progress.capture import captured_on_shipment, due_for_shipped
from services.order.domain.progress.fulfillment import Progress, UnitCount, newer, progress
from services.order.domain.progress.unclaimed import NAMED_AT_MOST, claim_change

Amend = Callable[[Order], Order]
"""A further change of an order in the same transaction."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Buyer orders as they have become, by key."""

    orders: Mapping[uuid.UUID, Order]
    lines: Mapping[uuid.UUID, tuple[Line, ...]]
    """All lines of the orders that a report had news of."""


class ReportFulfillment:
    """Applies reports; also used with what the steps of submit, forward and cancel bring back."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, reports: Reports) -> list[uuid.UUID]:
        """Applies them; returns keys of buyer orders that are not known."""
        keys = _order_keys(reports)
        if not keys:
            return []
        async with self._units.transaction() as work:
            known = await self.apply(work, reports, {})
        return [key for key in keys if key not in known.orders]

    async def apply(self, work: OrderWork, reports: Reports, amend: Mapping[uuid.UUID, Amend]) -> Applied:
        """Applies reports within a transaction."""
        now = self._clock.now()
        keys = sorted({*_order_keys(reports), *amend})
        orders = {order.key: order for order in await work.reports.orders(keys)}
        before = {view.key: view for view in await work.reports.supplier_orders(list(orders))}
        versions = {str(key): view.source_version for key, view in before.items()}
        newest = {r.key: r for r in sorted(reports.supplier_orders, key=lambda r: r.version)}
        fresh = [r for r in newest.values() if r.order_key in orders and newer(versions, str(r.key), r.version)]
        await self._save(work, fresh, before, orders, reports, now)
        counts = _counts(work, before, fresh)
        lines = await work.reports.lines_of(list(orders)) if fresh else dict.fromkeys(orders, ())
        events = [event for report in fresh for event in _supplier_event(report, before, orders, now)]
        shipped = _shipped(work, orders, before, fresh)
        claims = _claim_changes(work, before, fresh)
        captures: dict[uuid.UUID, int] = {}
        after: list[Order] = []
        lines_after: dict[uuid.UUID, tuple[Line, ...]] = {}
        changed_lines: dict[uuid.UUID, Sequence[Line]] = {}
        touched = {report.order_key for report in fresh}
        for key, order in orders.items():
            made = order
            if key in touched:
                result = progress(order, lines[key], counts.get(key, ()), now)
                lines_after[key] = result.lines
                if result.changed_lines:
                    changed_lines[key] = result.changed_lines
                made, happened = self._advance(order, lines[key], result, fresh, reports, claims.get(key, ()), now)
                events += happened
                if key in shipped and (due := due_for_shipped(order, result.lines, shipped[key])):
                    captures[key] = due
            if key in amend:
                made = amend[key](made)
            if made is not order:
                after.append(made)
        await work.reports.save_many(after, changed_lines, events)
        await work.captures.set_values(captures, now)
        return Applied({**orders, **{order.key: order for order in after}}, lines_after)

    async def _save(
        self,
        work: OrderWork,
        fresh: Sequence[ReportedSupplierOrder],
        before: Mapping[uuid.UUID, SupplierOrderView],
        orders: Mapping[uuid.UUID, Order],
        reports: Reports,
        now: datetime,
    ) -> None:
        await work.reports.save_supplier_orders(
            [
                {
                    **r.row,
                    "seller_id": orders[r.order_key].seller_id,
                    "version": before[r.key].version + 1 if r.key in before else 1,
                }
                for r in fresh
            ]
        )
        await work.reports.save_shipments(
            [(s.order_key, s.key, s.version, s.document) for s in reports.shipments if s.order_key in orders], now
        )

    def _advance(
        self,
        order: Order,
        lines: Sequence[Line],
        result: Progress,
        fresh: Sequence[ReportedSupplierOrder],
        reports: Reports,
        claims: Sequence[tuple[str, JsonObject]],
        now: datetime,
    ) -> tuple[Order, list[Event]]:
        events: list[Event] = []
        made = order
        forwarded = [r for r in fresh if r.order_key == order.key and not r.implicit]
        if forwarded and order.forward_time is None:
            made = replace(made, forward_time=now)
            made, event = changed(made, "order_forwarded", "", "", now, data={"supplier_orders": len(forwarded)})
            events.append(event)
        for kind, data in claims:
            made, event = changed(made, kind, "", "", now, data=data)
            events.append(event)
        if result.changed_lines:
            for kind, data in _unit_changes(order, lines, result.changed_lines, reports):
                made, event = changed(made, kind, "", "", now, data=data)
                events.append(event)
        if result.completed or result.canceled:
            ended = "order_completed" if result.completed else "order_canceled"
            made = replace(
                made,
                status=result.order.status,
                complete_time=result.order.complete_time,
                cancel_time=result.order.cancel_time,
                canceled=made.wholly_canceled if result.canceled else made.canceled,
            )
            made, event = changed(made, ended, "", "", now)
            events.append(event)
        return made, events


def _counts(
    work: OrderWork, before: Mapping[uuid.UUID, SupplierOrderView], fresh: Sequence[ReportedSupplierOrder]
) -> dict[uuid.UUID, list[UnitCount]]:
    replaced = {r.key for r in fresh}
    found: dict[uuid.UUID, list[UnitCount]] = {}
    for view in before.values():
        if view.key not in replaced:
            found.setdefault(view.parent_key, []).extend(work.reports.counts(view))
    for report in fresh:
        found.setdefault(report.order_key, []).extend(report.counts)
    return found


def _shipped(
    work: OrderWork,
    orders: Mapping[uuid.UUID, Order],
    before: Mapping[uuid.UUID, SupplierOrderView],
    fresh: Sequence[ReportedSupplierOrder],
) -> dict[uuid.UUID, list[int]]:
    """What is due for shipped units, by supplier order, of the orders that are captured on shipment."""
    replaced = {r.key for r in fresh}
    found: dict[uuid.UUID, list[int]] = {key: [] for key, order in orders.items() if captured_on_shipment(order)}
    for view in before.values() if found else ():
        if view.key not in replaced and view.parent_key in found:
            found[view.parent_key].append(work.reports.shipped(view))
    for report in fresh:
        if report.order_key in found:
            found[report.order_key].append(report.shipped)
    return found


def _claim_changes(
    work: OrderWork, before: Mapping[uuid.UUID, SupplierOrderView], fresh: Sequence[ReportedSupplierOrder]
) -> dict[uuid.UUID, list[tuple[str, JsonObject]]]:
    """What is new of units that no supplier took, by buyer order: they are in the seller's supplier order."""
    found: dict[uuid.UUID, list[tuple[str, JsonObject]]] = {}
    for report in fresh:
        if report.supplier_id:
            continue
        old = before.get(report.key)
        news = claim_change(report.id, None if old is None else work.reports.claim(old), report.claim)
        if news is not None:
            found.setdefault(report.order_key, []).append(news)
    return found


def _unit_changes(order: Order, before: Sequence[Line], after: Sequence[Line], reports: Reports) -> list[tuple[str, JsonObject]]:
    """What became of units, by type of event: the counts as they are now of 100 lines at most that shipped or were canceled."""
    old = {line.id: line for line in before}
    found: list[tuple[str, JsonObject]] = []
    shipped = {line.id: line.quantity_shipped for line in after if line.quantity_shipped != old[line.id].quantity_shipped}
    if shipped:
        left = sorted({s.id for s in reports.shipments if s.order_key == order.key and s.shipped})
        found.append(("units_shipped", {"shipped": _first(shipped), "shipments": left[:NAMED_AT_MOST]}))
    canceled = {line.id: line.quantity_canceled for line in after if line.quantity_canceled != old[line.id].quantity_canceled}
    if canceled:
        found.append(("units_canceled", {"canceled": _first(canceled)}))
    waiting = [line for line in after if _wait(line) != _wait(old[line.id])][:NAMED_AT_MOST]
    if waiting:
        units = {line.id: line.quantity_backordered for line in waiting}
        times = {line.id: line.expected_time.isoformat() for line in waiting if line.expected_time is not None}
        found.append(("backorder_changed", {"backordered": units, "expected": times}))
    return found


def _wait(line: Line) -> tuple[int, datetime | None]:
    return line.quantity_backordered, line.expected_time


def _first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(islice(counts.items(), NAMED_AT_MOST))


def _order_keys(reports: Reports) -> list[uuid.UUID]:
    return sorted({*(r.order_key for r in reports.supplier_orders), *(s.order_key for s in reports.shipments)})


def _supplier_event(
    report: ReportedSupplierOrder, before: Mapping[uuid.UUID, SupplierOrderView], orders: Mapping[uuid.UUID, Order], now: datetime
) -> list[Event]:
    old = before.get(report.key)
    type = "supplier_order_updated"
    if old is None:
        type = "supplier_order_created"
    elif old.supplier_status != report.status:
        type = f"supplier_order_{report.status.lower()}"
    version = 1 if old is None else old.version + 1
    data: JsonObject = {"supplier_status": report.status, "source_version": report.version}
    return [
        Event(
            order_key=report.key,
            sequence=version,
            type=type,
            status=str(report.row["status"]),
            user_id="",
            party_id="",
            time=now,
            data=data,
        )
    ]
