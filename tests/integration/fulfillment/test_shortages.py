"""A shortage that a count opened is none of the inspection's business; units promised twice are, whatever was counted before."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
import sqlalchemy as sa

from libs.db import Database
from libs.invariants import Finding
from services.fulfillment.adapters.db.tables import inventory_records, reservations, stock_movements
from tests.integration.fulfillment.world import World, fulfillment, line, new_key
from tests.support.tampering import like, tampered
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as inv_service


@pytest_asyncio.fixture
async def stored(databases: Any) -> AsyncIterator[tuple[World, Database]]:
    """Ten units, of which three are reserved."""
    async with fulfillment(databases) as world:
        await world.stock(("a", "drill", "", 10))
        await world.reserve(new_key(), line(quantity=3))
        assert world.app.database is not None
        yield world, world.app.database


async def counted(world: World, change: int) -> None:
    """Units are found to be more or fewer than was thought."""
    world.clock.advance(timedelta(hours=1))
    count = inv_service.StockAdjustment(inventory_record_id="a", kind=inv.STOCK_MOVEMENT_KIND_ADJUST, change=change)
    await world.inventory().AdjustStock(inv_service.AdjustStockRequest(adjustments=[count]))


async def reserved_beyond(world: World, database: Database, units: int) -> list[Any]:
    """The reservation takes more without a look at what is there: ledger, counter, demand and assignment agree."""
    world.clock.advance(timedelta(hours=1))
    async with database.reading() as tx:
        taken = sa.select(stock_movements).where(stock_movements.c.kind == "RESERVE")
        movement = (await tx.execute(taken)).mappings().one()
        ((assignment,), (wanted,)) = (await tx.execute(sa.select(reservations.c.assignments, reservations.c.lines))).one()
    more = like(movement, key=uuid.uuid4(), reserved=units, create_time=world.clock.now())
    assignment[2] += units
    wanted["q"] += units
    return [
        sa.insert(stock_movements).values(**more),
        sa.update(inventory_records).values(reserved=inventory_records.c.reserved + units),
        sa.update(reservations).values(assignments=[assignment], lines=[wanted]),
    ]


async def found(world: World) -> list[tuple[str, str]]:
    return [(record.rule, record.detail) async for record in world.app.inspected() if isinstance(record, Finding)]


async def test_a_count_below_what_is_promised_opens_a_shortage_that_breaks_nothing(stored: tuple[World, Database]) -> None:
    world, _ = stored
    await counted(world, -6)
    await counted(world, -3)
    assert (await world.counters("a"))[3] == -2
    assert await found(world) == []


async def test_a_count_excuses_no_unit_that_is_promised_after_it(stored: tuple[World, Database]) -> None:
    world, database = stored
    await counted(world, -9)
    async with tampered(database, await reserved_beyond(world, database, 4)):
        assert await found(world) == [("stock_not_oversold", "1 on hand, 7 promised; of the 6 missing, counts took 0")]


async def test_a_count_excuses_no_more_units_than_it_took(stored: tuple[World, Database]) -> None:
    world, database = stored
    async with tampered(database, await reserved_beyond(world, database, 500)):
        await counted(world, -1)
        assert await found(world) == [("stock_not_oversold", "9 on hand, 503 promised; of the 494 missing, counts took 1")]
