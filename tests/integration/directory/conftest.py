"""The directory, set up and served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.clock import ManualClock
from libs.ids import RandomIds
from libs.invariants import Finding
from libs.service.app import ServiceApp
from services.directory.adapters import key_material
from services.directory.application.bootstrap import OneTimeSecret
from services.directory.main import bootstrap, build
from services.directory.settings import Settings
from tests.integration.directory.world import World
from tests.support import keys
from tests.support.sealing import SEALING
from tests.support.server import runtime_for, serving

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _known_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directories sign with keys that were made for others before: of one directory they differ."""
    monkeypatch.setattr(key_material, "new_private_key", keys.maker())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def settings(databases: Any) -> Settings:
    url, schema = await databases("directory")
    return Settings(url, schema, argon2_time=1, argon2_memory_kib=8, sealing=SEALING)


@pytest.fixture
async def secret(settings: Settings, clock: ManualClock) -> OneTimeSecret:
    made = await bootstrap(settings, clock, RandomIds())
    assert made is not None
    return made


@pytest.fixture
async def app(settings: Settings, secret: OneTimeSecret, clock: ManualClock) -> ServiceApp:
    return await build(settings, runtime_for("directory", clock=clock))


@pytest.fixture
async def world(app: ServiceApp, clock: ManualClock) -> AsyncIterator[World]:
    """Ends with the invariant check."""
    async with serving(app) as served:
        yield World(served, clock)
        assert [record async for record in app.inspected() if isinstance(record, Finding)] == []
