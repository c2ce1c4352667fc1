"""The context's own invariants as SQL sums in one snapshot, and facts about orders for the others to compare.

Every rule selects what breaks it: `subject` and `detail`. No row means that it holds (DESIGN section 8).
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from libs.audit import Fact, Finding, Record, Summary
from libs.db import Database, Tx
from services.fulfillment.adapters.db.documents import assignments_in
from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    reservations,
    shipment_items,
    shipments,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)
from services.fulfillment.domain.sourcing.assign import demand

CONTEXT = "fulfillment"
PAGE = 500
_R, _M, _A = inventory_records.c, stock_movements.c, allocations.c
_O, _L, _V = supplier_orders.c, supplier_order_lines.c, reservations.c
_S, _I = shipments.c, shipment_items.c


def _text(*parts: Any) -> sa.ColumnElement[str]:
    """Columns and texts put together, the same on both databases."""
    joined: Any = sa.literal("")
    for part in parts:
        joined = joined + (sa.literal(part) if isinstance(part, str) else sa.cast(part, sa.String))
    detail: sa.ColumnElement[str] = joined.label("detail")
    return detail


def _sum(column: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(column), 0)


def rules() -> Mapping[str, sa.Select[Any]]:
    """What breaks each rule."""
    return {**_stock_rules(), **_order_rules(), **_shipment_rules()}


def _stock_rules() -> dict[str, sa.Select[Any]]:
    booked = (
        sa.select(
            _M.record_key,
            sa.func.sum(_M.on_hand).label("a"),
            sa.func.sum(_M.reserved).label("b"),
            sa.func.sum(_M.allocated).label("c"),
        )
        .group_by(_M.record_key)
        .subquery()
    )
    ledger = [sa.func.coalesce(booked.c[name], 0) for name in "abc"]
    held = (
        sa.select(_A.record_key, sa.func.sum(_A.quantity - _A.shipped).label("open"))
        .where(_A.record_key.is_not(None))
        .group_by(_A.record_key)
        .subquery()
    )
    open_units = sa.func.coalesce(held.c.open, 0)
    counted_down = sa.exists().where(_M.record_key == _R.key, _M.kind == "ADJUST", _M.on_hand < 0)
    negative = sa.or_(_R.reserved < 0, _R.allocated < 0, sa.and_(_R.on_hand < 0, sa.not_(_R.can_exceed)))
    return {
        "stock_counter_equals_ledger": sa.select(
            _R.id.label("subject"),
            _text("counters ", _R.on_hand, "/", _R.reserved, "/", _R.allocated, ", ledger ", ledger[0], "/",
                  ledger[1], "/", ledger[2]),
        )
        .outerjoin_from(inventory_records, booked, booked.c.record_key == _R.key)
        .where(sa.or_(_R.on_hand != ledger[0], _R.reserved != ledger[1], _R.allocated != ledger[2])),
        "stock_allocated_equals_allocations": sa.select(
            _R.id.label("subject"), _text("allocated ", _R.allocated, ", open allocations ", open_units)
        )
        .outerjoin_from(inventory_records, held, held.c.record_key == _R.key)
        .where(_R.allocated != open_units),
        "stock_not_negative": sa.select(
            _R.id.label("subject"), _text(_R.on_hand, "/", _R.reserved, "/", _R.allocated)
        ).where(negative),
        "stock_not_oversold": sa.select(
            _R.id.label("subject"), _text(_R.on_hand, " on hand, ", _R.reserved + _R.allocated, " promised")
        ).where(
            _R.on_hand < _R.reserved + _R.allocated, sa.not_(_R.can_exceed), sa.not_(counted_down)
        ),
    }  # fmt: skip


def _order_rules() -> dict[str, sa.Select[Any]]:
    lines = (
        sa.select(
            _L.supplier_order_key,
            sa.func.sum(_L.subtotal).label("subtotal"),
            sa.func.sum(_L.discount).label("discount"),
            sa.func.sum(_L.quantity).label("units"),
            sa.func.sum(_L.quantity - _L.shipped - _L.canceled).label("open"),
            sa.func.sum(_L.shipped).label("shipped"),
        )
        .group_by(_L.supplier_order_key)
        .subquery()
    )
    of_line = (
        sa.select(
            _A.supplier_order_key,
            _A.line_item_id,
            sa.func.sum(_A.quantity).label("quantity"),
            sa.func.sum(_A.shipped).label("shipped"),
        )
        .group_by(_A.supplier_order_key, _A.line_item_id)
        .subquery()
    )
    joined = sa.and_(of_line.c.supplier_order_key == _L.supplier_order_key, of_line.c.line_item_id == _L.line_item_id)
    expected = sa.case(
        (_O.moved, _O.status.in_(("CANCELED", "REJECTED")) & (lines.c.units == 0)),
        (lines.c.open > 0, _O.status.in_(("OPEN", "ACCEPTED", "FROZEN"))),
        (lines.c.shipped > 0, _O.status.in_(("COMPLETED", "FROZEN"))),
        else_=_O.status == "CANCELED",
    )
    accepted = sa.and_(_O.status.in_(("OPEN",)), _O.accept_time.is_not(None))
    header = sa.or_(
        _O.subtotal != lines.c.subtotal,
        _O.discount != lines.c.discount,
        _O.total != _O.subtotal - _O.discount + _O.shipping_cost + _O.tax,
    )
    confirmed_twice = (
        sa.select(_V.order_key.label("subject"), _text("attempts confirmed: ", sa.func.count()))
        .where(_V.state == "CONFIRMED")
        .group_by(_V.order_key)
        .having(sa.func.count() > 1)
    )
    return {
        "supplier_order_line_units": sa.select(
            (sa.cast(_L.supplier_order_key, sa.String) + "/" + _L.line_item_id).label("subject"),
            _text(_L.quantity, " units: ", _L.packed, " packed, ", _L.shipped, " shipped, ", _L.canceled,
                  " canceled"),
        ).where(
            sa.or_(
                _L.packed < 0, _L.shipped < 0, _L.canceled < 0,
                _L.packed + _L.shipped + _L.canceled > _L.quantity,
            )
        ),
        "allocation_units": sa.select(
            sa.cast(_A.key, sa.String).label("subject"),
            _text(_A.quantity, " units, ", _A.packed, " packed, ", _A.shipped, " shipped"),
        ).where(sa.or_(_A.packed < 0, _A.shipped < 0, _A.packed + _A.shipped > _A.quantity)),
        "allocations_within_line": sa.select(
            (sa.cast(_L.supplier_order_key, sa.String) + "/" + _L.line_item_id).label("subject"),
            _text(of_line.c.quantity, " units allocated of ", _L.quantity - _L.canceled),
        )
        .join_from(supplier_order_lines, of_line, joined)
        .where(sa.or_(of_line.c.quantity > _L.quantity - _L.canceled, of_line.c.shipped > _L.shipped)),
        "supplier_order_amounts": sa.select(
            _O.id.label("subject"),
            _text("subtotal ", _O.subtotal, ", lines ", lines.c.subtotal, "; total ", _O.total),
        )
        .join_from(supplier_orders, lines, lines.c.supplier_order_key == _O.key)
        .where(header),
        "supplier_order_status": sa.select(
            _O.id.label("subject"),
            _text(_O.status, " with ", lines.c.open, " open and ", lines.c.shipped, " shipped units"),
        )
        .join_from(supplier_orders, lines, lines.c.supplier_order_key == _O.key)
        .where(sa.or_(sa.not_(expected), accepted)),
        "supplier_order_has_lines": sa.select(_O.id.label("subject"), _text("no line")).where(
            ~sa.exists().where(_L.supplier_order_key == _O.key)
        ),
        "one_confirmed_attempt": confirmed_twice,
        "confirmed_attempt_has_supplier_orders": sa.select(
            _V.order_key.label("subject"), _text("no supplier order")
        ).where(_V.state == "CONFIRMED", ~sa.exists().where(_O.order_key == _V.order_key)),
    }  # fmt: skip


def _shipment_rules() -> dict[str, sa.Select[Any]]:
    gone = sa.case((_S.ship_time.is_not(None), _I.quantity), else_=0)
    on_way = sa.case((_S.ship_time.is_(None), _I.quantity), else_=0)
    sent = (
        sa.select(
            _I.supplier_order_key,
            _I.line_item_id,
            sa.func.sum(gone).label("shipped"),
            sa.func.sum(on_way).label("packed"),
        )
        .join_from(shipment_items, shipments, _S.key == _I.shipment_key)
        .group_by(_I.supplier_order_key, _I.line_item_id)
        .subquery()
    )
    joined = sa.and_(sent.c.supplier_order_key == _L.supplier_order_key, sent.c.line_item_id == _L.line_item_id)
    shipped, packed = sa.func.coalesce(sent.c.shipped, 0), sa.func.coalesce(sent.c.packed, 0)
    wrong = sa.or_(_L.shipped != shipped, sa.and_(_O.status != "CANCELED", _L.packed != packed))
    return {
        "line_units_equal_shipments": sa.select(
            (_O.id + "/" + _L.line_item_id).label("subject"),
            _text(_L.shipped, "/", _L.packed, " on the line, ", shipped, "/", packed, " on shipments"),
        )
        .select_from(supplier_order_lines)
        .join(supplier_orders, _O.key == _L.supplier_order_key)
        .outerjoin(sent, joined)
        .where(_L.shippable, wrong)
    }


async def audit(database: Database) -> AsyncIterator[Record]:
    """Findings, facts and the summary of this context."""
    found = 0
    async with database.reading(snapshot=True) as tx:
        for rule, select in rules().items():
            for row in await tx.execute(select):
                found += 1
                yield Finding(CONTEXT, rule, str(row.subject), str(row.detail))
        async for record in _reservations(tx):
            found += isinstance(record, Finding)
            yield record
        async for fact in _order_facts(tx):
            yield fact
        async for fact in _unreported(tx):
            yield fact
        rows = await _rows(tx)
    yield Summary(CONTEXT, len(rules()) + 1, rows, found)


async def _rows(tx: Tx) -> int:
    rows = 0
    for table in (inventory_records, stock_movements, reservations, supplier_order_lines, shipment_items):
        rows += int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar() or 0)
    return rows


async def _reservations(tx: Tx) -> AsyncIterator[Record]:
    """Reserved counters against live reservations, and each live one as a fact. There are few at any time."""
    units: dict[uuid.UUID, int] = {}
    live = sa.select(_V.order_key, _V.attempt, _V.assignments).where(_V.state == "RESERVED")
    for row in await tx.execute(live):
        for key, quantity in demand(assignments_in(row.assignments)).items():
            units[key] = units.get(key, 0) + quantity
        yield Fact(CONTEXT, "stock_attempt", row.order_key, {"attempt": str(row.attempt), "state": "RESERVED"})
    where = sa.or_(_R.reserved != 0, _R.key.in_(sorted(units))) if units else _R.reserved != 0
    for row in await tx.execute(sa.select(_R.key, _R.id, _R.reserved).where(where)):
        expected = units.get(row.key, 0)
        if row.reserved != expected:
            yield Finding(
                CONTEXT,
                "stock_reserved_equals_reservations",
                row.id,
                f"reserved {row.reserved}, live reservations {expected}",
            )


async def _unreported(tx: Tx) -> AsyncIterator[Fact]:
    """What the order service has not acknowledged yet."""
    for row in await tx.execute(sa.select(_O.order_key, _O.id).where(_O.report_time.is_not(None))):
        yield Fact(CONTEXT, "unreported", row.order_key, {"supplier_order": row.id})


async def _order_facts(tx: Tx) -> AsyncIterator[Fact]:
    """Supplier orders and units of every order, a page of orders at a time."""
    last = ""
    while True:
        keys = [
            row.order_key
            for row in await tx.execute(
                sa.select(_O.order_key)
                .where(_O.order_key > last)
                .group_by(_O.order_key)
                .order_by(_O.order_key)
                .limit(PAGE)
            )
        ]
        if not keys:
            return
        headers = await tx.execute(sa.select(supplier_orders).where(_O.order_key.in_(keys), ~_O.moved))
        for row in headers:
            yield _supplier_order_fact(row)
        lines = await tx.execute(
            sa.select(_O.order_key, _L.line_item_id, _sum(_L.quantity), _sum(_L.shipped), _sum(_L.canceled))
            .join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key)
            .where(_O.order_key.in_(keys))
            .group_by(_O.order_key, _L.line_item_id)
        )
        for fact in _unit_facts(lines.all()):
            yield fact
        last = keys[-1]


def _supplier_order_fact(row: Any) -> Fact:
    return Fact(
        CONTEXT,
        "supplier_order",
        row.order_key,
        {
            "id": row.id,
            "supplier_id": row.supplier_id,
            "status": row.status,
            "total": str(row.total),
            "currency": row.currency,
            "version": str(row.version),
            "implicit": "true" if row.implicit else "false",
        },
    )


def _unit_facts(rows: Any) -> Iterator[Fact]:
    units: dict[str, dict[str, str]] = {}
    for order_key, line_item_id, quantity, shipped, canceled in rows:
        units.setdefault(order_key, {})[line_item_id] = f"{quantity}/{shipped}/{canceled}"
    for order_key, values in units.items():
        yield Fact(CONTEXT, "units", order_key, values)
