"""The pricing service, served, with an order service that decides as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libs.clock import ManualClock
from libs.db import Database
from libs.invariants import Finding
from services.pricing.main import build
from services.pricing.settings import Settings
from tests.integration.pricing.world import World
from tests.support.server import runtime_for, serving

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def settings(databases) -> Settings:
    url, schema = await databases("pricing")
    return Settings(url, schema)


@pytest.fixture
async def world(settings) -> AsyncIterator[World]:
    """Ends with the invariant check."""
    clock = ManualClock(NOW)
    app = await build(settings, runtime_for("pricing", clock=clock))
    database = await Database.open(settings.database_url, settings.database_schema)
    async with serving(app) as served:
        world = World(served, app, clock, database)
        yield world
        if not world.broken:
            assert [record async for record in app.inspected() if isinstance(record, Finding)] == []
    await database.close()
