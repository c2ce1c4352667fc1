"""Settings that every service has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.db.tuning import DEFAULT, Tuning
from libs.service.settings import URL, seconds, setting

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where its database is, how it uses it, and how long it remembers requests. Times are in seconds."""

    database_url: str = setting("", "Where the service's database is, if not where those of all are.", shown=URL)
    database_schema: str | None = setting(
        None, "Its schema on PostgreSQL; waybill_<service> unless given.", pattern="[a-z_][a-z0-9_]{0,62}"
    )
    tuning: Tuning = DEFAULT
    outcome_retention: float = seconds(
        30 * DAY,
        "How long the outcome of a request is remembered, so that the same request sent again has no second effect.",
        at_least=DAY,
        at_most=3_650 * DAY,
    )
    forget_pause: float = seconds(3_600.0, "Between two deletions of outcomes that are older than that.", at_least=1.0)

    changes_retention: int = setting(
        30,
        "How long changes are kept for WatchChanges; of orders, the last bodies of deleted ones: their history stays.",
        unit="days",
        at_least=1,
        at_most=3_650,
    )

    audit_retention: int = setting(
        400, "How long the log of administrative acts is kept.", unit="days", at_least=1, at_most=3_650
    )

    @property
    def audit_kept(self) -> timedelta:
        """The retention of administrative acts."""
        return timedelta(days=self.audit_retention)

    @property
    def changes_kept(self) -> timedelta:
        """The retention of changes."""
        return timedelta(days=self.changes_retention)

    @property
    def remembered(self) -> timedelta:
        """The retention of outcomes."""
        return timedelta(seconds=self.outcome_retention)
