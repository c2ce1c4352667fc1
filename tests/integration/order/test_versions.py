"""What reads wait for is read by one statement, whatever the number of ids."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.statements import counting
from services.order.adapters.db.reading.versions import OrderVersions
from services.order.adapters.db.rows import order_row
from services.order.adapters.db.tables import ORDERS
from services.order.application.reading.read_orders import Standing
from tests.unit.order.builders import order

MANY = 40_000
"""More than either driver takes parameters."""


@pytest.fixture
async def db(databases: Any) -> AsyncIterator[Database]:
    url, schema = await databases("order")
    opened = await Database.open(url, schema)
    yield opened
    await opened.close()


async def test_orders_of_any_number_of_ids_are_found_by_one_statement(db: Database) -> None:
    kinds = (("BUYER", "BOTH", 0), ("SUPPLIER", "BOTH", 3), ("SUPPLIER", "SOLD", 7), ("BUYER", "BOUGHT", 0), ("MOVED", "GONE", 4))
    async with db.transaction() as tx:
        for kind, id, version in kinds:
            row = {**order_row(replace(order(key=uuid.uuid4()), id=id)), "kind": kind, "source_version": version}
            await tx.execute(sa.insert(ORDERS).values(**row))
    with counting() as sent:
        found = await OrderVersions(db).read([f"none-{n}" for n in range(MANY)] + ["BOTH", "SOLD", "BOUGHT", "GONE", "no\0id"])
    assert found == {"BOTH": Standing(True, 3), "SOLD": Standing(version=7), "BOUGHT": Standing(True)}
    assert sent.statements == 1
    assert await OrderVersions(db).read([]) == {}
