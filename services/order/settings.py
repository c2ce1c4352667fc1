"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.service.service_settings import DAY, ServiceSettings
from libs.service.settings import seconds
from services.order.application.limits import (
    DEFAULT,
    DEFAULT_ATTEMPTS,
    DEFAULT_CARTS,
    DEFAULT_READS,
    DEFAULT_WATCH,
    AttemptLimits,
    CartLimits,
    CompleterLimits,
    ReadLimits,
    WatchLimits,
)


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """How unfinished work is driven on, and how long a watch may pause. Times are in seconds."""

    attempts: AttemptLimits = DEFAULT_ATTEMPTS
    completer: CompleterLimits = DEFAULT
    carts: CartLimits = DEFAULT_CARTS
    reads: ReadLimits = DEFAULT_READS
    watch: WatchLimits = DEFAULT_WATCH
    completer_pause: float = seconds(
        0.5, "Between two looks for attempts, cancels and holds whose coordinator is gone.", at_least=0.05
    )
    resume_token_retention: float = seconds(
        90 * DAY, "How long a watch can be resumed with a token that it gave.", at_least=60.0, at_most=3_650 * DAY
    )

    @property
    def resumable(self) -> timedelta:
        """The retention of resume tokens."""
        return timedelta(seconds=self.resume_token_retention)
