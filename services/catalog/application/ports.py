"""What the catalog needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from services.catalog.domain.product import StoredProduct


class CensusStore(Protocol):
    """Reads every product for the inspection."""

    def take(self) -> AsyncIterator[Sequence[StoredProduct]]:
        """One snapshot, part by part."""
        ...
