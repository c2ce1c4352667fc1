"""What the service is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

from libs.db.tuning import DEFAULT, Tuning


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds. On PostgreSQL everything lives in the schema."""

    database_url: str
    database_schema: str | None = None
    tuning: Tuning = DEFAULT
    gateway: str = "test"
    """Name of the payment gateway, as in `adapters/gateways/registry.py`."""
    gateway_timeout: float = 5.0
    """How long a gateway is waited for; an authorization also not beyond its attempt's deadline."""
    void_timeout: float = 1.0
    """How long the end of an attempt or order waits for voids and refunds; the rest is done beside."""
    test_gateway_delay: float = 0.0
    """How long the test gateway lets callers wait."""
    test_gateway_lifetime: float = 604_800.0
    """How long the test gateway holds an authorization."""
    renew_early: float = 86_400.0
    """How long before it lapses an authorization that is confirmed and not captured is renewed."""
    renew_pause: float = 60.0
    """Between two looks for authorizations that lapse."""
    settle_pause: float = 1.0
    """Between two looks for gateway operations without an answer."""
    settle_again: float = 10.0
    """How long until a gateway is asked again."""
    relay_pause: float = 1.0
    """Between two looks for payments that need attention and that the order service does not know of."""
    expiry_pause: float = 5.0
    """Between two looks for reservations past their time."""
    expiry_grace: float = 30.0
    """How much longer than its attempt's deadline a reservation lives before anyone asks about it."""
    expiry_again: float = 30.0
    """How long until the order service is asked again about an attempt that is not decided."""
