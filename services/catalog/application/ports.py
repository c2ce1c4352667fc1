"""What the catalog needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol


class CensusStore(Protocol):
    """Reads every product for the audit."""

    def take(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """One snapshot, part by part: id, suppliers, multiplier and measures of each product."""
