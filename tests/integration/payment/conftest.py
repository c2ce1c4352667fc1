"""Fixtures of the payment tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.payment.world import World, running


@pytest.fixture
async def world(databases: Any) -> AsyncIterator[World]:
    """A running payment service; the test ends with its inspection."""
    async with running(databases) as made:
        yield made
