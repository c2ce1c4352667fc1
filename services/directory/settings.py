"""What the service is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

from libs.db.tuning import DEFAULT, Tuning


@dataclass(frozen=True, slots=True)
class Settings:
    """Where its database is, who owns the marketplace, and how dear a password check is."""

    database_url: str
    database_schema: str | None = None
    tuning: Tuning = DEFAULT
    seller_id: str = "seller"
    seller_name: str = "Seller"
    signing_key_pem: str = ""
    """An Ed25519 private key that takes the place of the one in the database."""
    argon2_time: int = 2
    argon2_memory_kib: int = 19_456
    forget_pause_seconds: float = 3_600.0
    """Between two deletions of outcomes of old requests."""
