"""The order service's own invariants, and its facts about every order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa

from libs.audit import Fact, Finding, Record, Summary
from libs.db import Database, Tx
from services.order.adapters.db.gauges import CANCEL_STATES
from services.order.adapters.db.tables import CANCELLATIONS, EVENTS, LINE_ITEMS, ORDERS, SUBMISSIONS

CONTEXT = "order"
RULES = 6


class Audit:
    """Totals are sums of parts; units add up; status follows from units; histories have no gap."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> AsyncIterator[Record]:
        """Findings and facts, then the summary."""
        async with self._db.reading(snapshot=True) as tx:
            orders = (await tx.execute(_orders())).all()
            sums = {row.order_key: row for row in await tx.execute(_line_sums())}
            events = {row.aggregate_key: row for row in await tx.execute(_event_sums())}
            attempts = await self._attempts(tx)
            canceling = (await tx.execute(_unfinished_cancellations())).all()
            lines = (await tx.execute(_lines())).all()
        findings: list[Finding] = []
        for order in orders:
            findings += _check(order, sums.get(order.key), events.get(order.key))
        for finding in findings:
            yield finding
        for row in attempts:
            yield Fact(
                CONTEXT, "attempt", str(row.order_key),
                {"attempt": str(row.attempt), "state": row.state, "finished": str(int(row.finished))},
            )  # fmt: skip
        for row in canceling:
            yield Fact(CONTEXT, "cancellation", str(row.order_key), {"state": row.state})
        units: dict[Any, dict[str, str]] = {}
        for line in lines:
            counts = f"{line.quantity}/{line.quantity_shipped}/{line.quantity_canceled}"
            units.setdefault(line.order_key, {})[line.id] = counts
        for order in orders:
            if order.kind == "BUYER":
                yield Fact(CONTEXT, "order", str(order.key), _order_values(order))
                if order.is_submitted:
                    yield Fact(CONTEXT, "units", str(order.key), units.get(order.key, {}))
            else:
                yield Fact(
                    CONTEXT, "supplier_order", str(order.parent_key),
                    {"id": order.id, "status": order.sub_status, "total": str(order.total),
                     "version": str(order.source_version)},
                )  # fmt: skip
        yield Summary(CONTEXT, RULES, len(orders) + len(lines), len(findings))

    async def _attempts(self, tx: Tx) -> list[Any]:
        s = SUBMISSIONS.c
        statement = sa.select(s.order_key, s.attempt, s.state, s.finished).where(
            sa.or_(sa.not_(s.finished), s.state == "TRYING")
        )
        return list((await tx.execute(statement)).all())


def _unfinished_cancellations() -> sa.Select[Any]:
    c = CANCELLATIONS.c
    return sa.select(c.order_key, c.state).where(c.state.in_(CANCEL_STATES))


def _orders() -> sa.Select[Any]:
    o = ORDERS.c
    return sa.select(
        o.key, o.kind, o.id, o.parent_key, o.status, o.sub_status, o.is_submitted, o.currency, o.version, o.subtotal,
        o.discount, o.shipping_cost, o.tax, o.total, o.source_version, o.line_item_count, o.calculated_version,
        o.content_version, o.tax_override, o.submit_time,
    )  # fmt: skip


def _line_sums() -> sa.Select[Any]:
    c = LINE_ITEMS.c
    open_units = c.quantity - c.quantity_shipped - c.quantity_canceled
    return sa.select(
        c.order_key, sa.func.count().label("lines"), sa.func.sum(c.subtotal).label("subtotal"),
        sa.func.sum(c.discount).label("discount"), sa.func.sum(c.tax).label("tax"),
        sa.func.sum(open_units).label("open"), sa.func.min(open_units).label("least_open"),
        sa.func.sum(c.quantity_shipped).label("shipped"),
    ).group_by(c.order_key)  # fmt: skip


def _event_sums() -> sa.Select[Any]:
    c = EVENTS.c
    return sa.select(
        c.aggregate_key, sa.func.count().label("events"), sa.func.max(c.sequence).label("last")
    ).group_by(c.aggregate_key)


def _lines() -> sa.Select[Any]:
    c = LINE_ITEMS.c
    return (
        sa.select(c.order_key, c.id, c.quantity, c.quantity_shipped, c.quantity_canceled)
        .join(ORDERS, ORDERS.c.key == c.order_key)
        .where(ORDERS.c.is_submitted)
    )


def _order_values(order: Any) -> dict[str, str]:
    return {
        "id": order.id, "status": order.status, "total": str(order.total), "currency": order.currency,
        "submitted": str(int(order.is_submitted)),
    }  # fmt: skip


def _check(order: Any, sums: Any, events: Any) -> list[Finding]:
    found: list[Finding] = []

    def finding(rule: str, detail: str) -> None:
        found.append(Finding(CONTEXT, rule, order.id, detail))

    if order.total != order.subtotal - order.discount + order.shipping_cost + order.tax:
        finding("total_is_sum_of_parts", f"total {order.total}")
    if events is None or not events.events == events.last == order.version:
        finding("history_has_no_gap", f"version {order.version}, {events and events.events} events")
    if order.kind != "BUYER":
        return found
    lines = 0 if sums is None else sums.lines
    if lines != order.line_item_count:
        finding("line_count_is_right", f"{lines} lines, not {order.line_item_count}")
    if sums is None:
        return found
    if order.calculated_version == order.content_version and (
        sums.subtotal != order.subtotal or sums.discount != order.discount
    ):
        finding("amounts_are_sums_of_lines", f"{sums.subtotal} and {sums.discount}")
    if sums.least_open < 0:
        finding("units_add_up", f"a line has {-sums.least_open} units too many")
    if order.is_submitted and order.status in ("OPEN", "COMPLETED"):
        complete = sums.open == 0 and sums.shipped > 0
        if complete != (order.status == "COMPLETED"):
            finding("status_follows_units", f"{order.status} with {sums.open} open units")
    return found
