"""Fixtures of the fulfillment tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.integration.fulfillment.world import World, fulfillment


@pytest_asyncio.fixture
async def world(databases: Any) -> AsyncIterator[World]:
    """A running fulfillment service; the test ends with its inspection."""
    async with fulfillment(databases) as made:
        yield made
