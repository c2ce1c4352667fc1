"""One marketplace per test, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.marketplace import Marketplace, marketplace


@pytest.fixture
async def market(tmp_path: Path, database_url: str) -> AsyncIterator[Marketplace]:
    """A marketplace that is checked when the test ends."""
    async with marketplace(tmp_path, database_url) as made:
        yield made


@pytest.fixture
async def sqlite_market(tmp_path: Path) -> AsyncIterator[Marketplace]:
    """The same on SQLite only, for what no database has a part in."""
    async with marketplace(tmp_path) as made:
        yield made
