"""How long unfinished work waits for whoever drives it on, and how much one look takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class CompleterLimits:
    """What one look of the completer takes. Times are in seconds."""

    completer_lease: float = seconds(
        10.0, "How long a completer has what it took, before another may take it.", at_least=1.0, at_most=3_600.0
    )
    completer_batch: int = setting(
        20, "Attempts, cancels and holds, of each, that one look of the completer takes.", at_least=1, at_most=1_000
    )

    @property
    def lease(self) -> timedelta:
        """The lease of what is taken."""
        return timedelta(seconds=self.completer_lease)


DEFAULT = CompleterLimits()
