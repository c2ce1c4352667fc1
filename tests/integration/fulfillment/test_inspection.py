"""The inspection finds what is wrong: each rule is broken on purpose, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from libs.db import Database
from libs.invariants import Finding, Summary
from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    reservations,
    shipment_items,
    supplier_order_lines,
    supplier_orders,
)
from tests.integration.fulfillment.world import World, fulfillment, line, new_key

RECORDS, ORDERS, LINES = inventory_records.update(), supplier_orders.update(), supplier_order_lines.update()
BREAKAGES: list[tuple[str, sa.UpdateBase]] = [
    ("stock_counter_equals_ledger", RECORDS.values(on_hand=99)),
    ("stock_reserved_equals_reservations", reservations.update().values(state="RELEASED")),
    ("stock_allocated_equals_allocations", allocations.update().values(quantity=1)),
    ("stock_not_negative", RECORDS.values(reserved=-1)),
    ("stock_not_oversold", RECORDS.values(on_hand=2)),
    ("allocation_is_of_its_record", RECORDS.values(variant_id="red")),
    ("attempt_is_of_its_lines", RECORDS.values(variant_id="red")),
    ("supplier_order_line_units", LINES.values(canceled=4)),
    ("allocation_units", allocations.update().values(packed=9)),
    ("allocations_within_line", allocations.update().values(quantity=9)),
    ("supplier_order_amounts", ORDERS.values(subtotal=1)),
    ("supplier_order_amounts", ORDERS.values(total=1)),
    ("supplier_order_status", ORDERS.values(status="COMPLETED")),
    ("supplier_order_status", ORDERS.values(status="OPEN")),
    ("supplier_order_status", ORDERS.values(moved=True)),
    ("supplier_order_has_lines", supplier_order_lines.delete()),
    ("one_confirmed_attempt", reservations.update().values(state="CONFIRMED", order_key="k")),
    ("confirmed_attempt_has_supplier_orders", supplier_orders.delete()),
    ("line_units_equal_shipments", shipment_items.update().values(quantity=2)),
]


@pytest_asyncio.fixture
async def stored(databases: Any) -> AsyncIterator[tuple[World, Database]]:
    """One order half shipped, one attempt undecided. What a test breaks is put right before the end."""
    async with fulfillment(databases) as world:
        await world.stock(("a", "drill", "", 9))
        await world.placed("PO1", line(quantity=4))
        await world.ship(items=[("PO1-1", "l1", 1)])
        key = new_key()
        await world.reserve(key, line(quantity=2), attempt=2)
        assert world.app.database is not None
        yield world, world.app.database


@pytest.mark.parametrize(("rule", "breakage"), BREAKAGES, ids=[f"{n}-{r}" for n, (r, _) in enumerate(BREAKAGES)])
async def test_the_inspection_finds_a_broken_rule(stored: tuple[World, Database], rule: str, breakage: sa.UpdateBase) -> None:
    world, database = stored
    before = {t: await rows(database, t) for t in (*TABLES,)}
    async with database.transaction() as tx:
        await tx.execute(breakage)
    found = [r async for r in world.app.inspected()]
    assert rule in {r.rule for r in found if isinstance(r, Finding)}
    assert [r.findings for r in found if isinstance(r, Summary)] == [sum(isinstance(r, Finding) for r in found)]
    async with database.transaction() as tx:
        for table, kept in before.items():
            await tx.execute(table.delete())
            await tx.execute(sa.insert(table), kept)


TABLES = (inventory_records, reservations, supplier_orders, supplier_order_lines, allocations, shipment_items)


async def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    async with database.reading() as tx:
        return [dict(row) for row in (await tx.execute(sa.select(table))).mappings()]
