"""What the host may set of this service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.db.tuning import DEFAULT, Tuning


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds."""

    database_url: str
    database_schema: str | None = None
    tuning: Tuning = DEFAULT
    relay_pause: float = 1.0
    """Between two looks of the relay for reports that the order service has not acknowledged."""
    relay_delay: float = 2.0
    """How long a change waits for its acknowledgement before the relay sends it."""
    delivery_pause: float = 5.0
    """Between two looks for what needs no shipment and can be delivered by now."""
    expiry_pause: float = 5.0
    """Between two looks for overdue reservations."""
    expiry_grace: float = 30.0
    """How long past an attempt's deadline the order service is asked what became of it."""
    expiry_again: float = 30.0
    """How long until it is asked again when the attempt is not decided or confirmed."""
