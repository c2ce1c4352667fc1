"""How much a process does for outside callers at the same time. Other services are never refused: their call would fail
half-way, and hold what it has got until somebody gives up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from libs.errors import Kind, WaybillError
from waybill.type.v1 import reasons


@dataclass(slots=True)
class Admission:
    """Of one sort of calls: so many at most; the others are refused and may come back."""

    limit: int
    what: str
    refused: Any
    """Counts those that were."""
    running: int = 0

    def require(self) -> None:
        """Raises TOO_MANY_CALLS unless one more fits in."""
        if self.running < self.limit:
            return
        self.refused.inc()
        raise WaybillError(
            Kind.EXHAUSTED,
            reasons.TOO_MANY_CALLS,
            f"too many {self.what} at the same time",
            retry_after=timedelta(milliseconds=250),
        )
