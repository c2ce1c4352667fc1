"""One marketplace per test, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.marketplace import Marketplace, marketplace
from tests.support.prepared import Prepared


@pytest.fixture
async def market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """A marketplace that is checked when the test ends."""
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret) as made:
        yield made


@pytest.fixture
async def sqlite_market(tmp_path: Path, prepared_files: Prepared) -> AsyncIterator[Marketplace]:
    """The same on SQLite only, for what no database has a part in."""
    async with marketplace(tmp_path, secret=prepared_files.secret) as made:
        yield made
