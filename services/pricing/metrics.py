"""What pricing counts and measures beside what every service does."""

from __future__ import annotations

from libs.obs.metrics import Gauge, action

REDEMPTIONS_ENDED = {state: action("pricing", "expiry", state.lower()) for state in ("CONFIRMED", "RELEASED")}

RESERVATIONS = Gauge(
    "waybill_reservations_outstanding", "Attempts whose reservation is neither confirmed nor released.", ("service", "state")
)
