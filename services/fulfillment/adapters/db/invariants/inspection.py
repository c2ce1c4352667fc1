"""Fulfillment's inspection in one snapshot: its own rules, and facts about orders for the others to compare."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.invariants import SqlRule, count, in_parts, judged, names_are_known, readable
from libs.idempotency import invariants
from libs.invariants import Finding, Record, RuleResult, Summary
from services.fulfillment.adapters.db.documents import assignments_in
from services.fulfillment.adapters.db.invariants.books import book_rules
from services.fulfillment.adapters.db.invariants.causes import cause_rules
from services.fulfillment.adapters.db.invariants.cost_side import cost_rules
from services.fulfillment.adapters.db.invariants.facts import facts
from services.fulfillment.adapters.db.invariants.orders import order_rules
from services.fulfillment.adapters.db.invariants.stock import oversold, stock_rules
from services.fulfillment.adapters.db.invariants.times import time_rules
from services.fulfillment.adapters.db.tables import (
    MADE,
    NAMES,
    inventory_records,
    requests,
    reservations,
    shipment_items,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)
from services.fulfillment.domain.sourcing.assign import demand
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, derived

CONTEXT = "fulfillment"
PAGE = 1_000
_R, _O, _L, _V = inventory_records.c, supplier_orders.c, supplier_order_lines.c, reservations.c


async def inspection(database: Database, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
    """Findings, facts and the summary of this context; with order keys only the facts about these orders."""
    results: list[RuleResult] = []
    rows = 0
    async with database.inspecting() as tx:
        if not order_keys:
            async for record in _judged(tx):
                if isinstance(record, Finding):
                    yield record
                else:
                    results.append(record)
            for table in (inventory_records, stock_movements, reservations, supplier_order_lines, shipment_items):
                rows += await count(tx, table)
        async for fact in facts(tx, order_keys):
            yield fact
    yield Summary(CONTEXT, len(results), rows, sum(r.broken for r in results), results)


@cache
def rules(dialect: str) -> Sequence[SqlRule]:
    """What is looked for by SQL alone."""
    return [*stock_rules(dialect), *order_rules(), *cause_rules(), names_are_known(NAMES), _effects(dialect)]


async def _judged(tx: Tx) -> AsyncIterator[Finding | RuleResult]:
    async for record in in_parts(
        CONTEXT,
        references=judged(tx, CONTEXT, rules(tx.dialect)),
        shortages=oversold(tx, CONTEXT),
        reservations=_reserved(tx),
        statuses=_statuses(tx),
        books=book_rules(tx, CONTEXT),
        costs=cost_rules(tx, CONTEXT),
    ):
        yield record
    async for record in time_rules(tx, CONTEXT):
        yield record


def _effects(dialect: str) -> SqlRule:
    return SqlRule(invariants.RULE, sa.union_all(*invariants.lost(dialect, requests, MADE)), requests)


async def _reserved(tx: Tx) -> AsyncIterator[Finding | RuleResult]:
    """Reserved counters against the demand of live reservations, of which there are few at any time."""
    rule = "stock_reserved_equals_reservations"
    units: dict[uuid.UUID, int] = {}
    live = _V.state == "RESERVED"
    orders = (await tx.execute(sa.select(_V.order_key).where(live).distinct().order_by(_V.order_key))).scalars().all()

    async def read(keys: Sequence[str]) -> list[Mapping[uuid.UUID, int]]:
        rows = await tx.execute(sa.select(_V.assignments).where(live, _V.order_key.in_(keys)))
        return [demand(assignments_in(row.assignments)) for row in rows]

    async for held in readable(CONTEXT, "order", orders, read):
        if isinstance(held, Finding):
            yield held
            continue
        for key, quantity in held.items():
            units[key] = units.get(key, 0) + quantity
    broken = 0
    where = sa.or_(_R.reserved != 0, _R.key.in_(sorted(units))) if units else _R.reserved != 0
    for row in await tx.execute(sa.select(_R.key, _R.id, _R.reserved).where(where)):
        expected = units.get(row.key, 0)
        if row.reserved != expected:
            broken += 1
            yield Finding(CONTEXT, rule, row.id, f"reserved {row.reserved}, live reservations {expected}")
    yield RuleResult(rule, await count(tx, inventory_records), broken)


@dataclass(frozen=True, slots=True)
class _Units:
    quantity: int
    shipped: int
    canceled: int


async def _statuses(tx: Tx) -> AsyncIterator[Finding | RuleResult]:
    """The status is what the quantities and the recorded decisions make, computed again."""
    rule, looked_at, broken, last = "supplier_order_status", 0, 0, ""
    statement = (
        sa.select(
            _O.id,
            _O.status,
            _O.moved,
            _O.accept_time,
            sa.func.sum(_L.quantity).label("quantity"),
            sa.func.sum(_L.shipped).label("shipped"),
            sa.func.sum(_L.canceled).label("canceled"),
        )
        .join_from(supplier_orders, supplier_order_lines, _L.supplier_order_key == _O.key)
        .group_by(_O.id, _O.status, _O.moved, _O.accept_time)
        .order_by(_O.id)
        .limit(PAGE)
    )
    while rows := (await tx.execute(statement.where(_O.id > last))).all():
        for row in rows:
            units = _Units(int(row.quantity), int(row.shipped), int(row.canceled))
            made = derived([units], row.accept_time is not None)
            if not _stands(row.status, made, bool(row.moved), units):
                broken += 1
                yield Finding(
                    CONTEXT,
                    rule,
                    row.id,
                    f"{row.status}; {units.quantity} units, {units.shipped} shipped, {units.canceled} canceled make it {made}",
                )
        looked_at, last = looked_at + len(rows), rows[-1].id
    yield RuleResult(rule, looked_at, broken)


def _stands(status: str, made: SupplierOrderStatus, moved: bool, units: _Units) -> bool:
    """Whether a decision, or else the quantities, made the status. It may be one that there is not."""
    if moved:
        return units.quantity == 0 and status in (SupplierOrderStatus.CANCELED, SupplierOrderStatus.REJECTED)
    if status == SupplierOrderStatus.FROZEN:
        return made is not SupplierOrderStatus.CANCELED
    return status == made
