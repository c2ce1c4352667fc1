"""The shipping service, served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libs.clock import ManualClock
from libs.invariants import Finding
from libs.service.app import ServiceApp
from services.shipping.main import build
from services.shipping.settings import Settings
from tests.support.server import Served, runtime_for, serving

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def settings(databases) -> Settings:
    url, schema = await databases("shipping")
    return Settings(url, schema)


@pytest.fixture
async def app(settings) -> ServiceApp:
    return await build(settings, runtime_for("shipping", clock=ManualClock(NOW)))


@pytest.fixture
async def served(app) -> AsyncIterator[Served]:
    """Ends with the invariant check."""
    async with serving(app) as found:
        yield found
        assert [record async for record in app.inspected() if isinstance(record, Finding)] == []
