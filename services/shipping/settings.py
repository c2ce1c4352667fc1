"""What the service is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

from libs.db.tuning import DEFAULT, Tuning


@dataclass(frozen=True, slots=True)
class Settings:
    """Where its database is. On PostgreSQL everything lives in the schema."""

    database_url: str
    database_schema: str | None = None
    tuning: Tuning = DEFAULT
