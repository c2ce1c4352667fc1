"""What pricing's resources can be, as rules of its inspection."""

from __future__ import annotations

from libs.db.invariants import Look
from libs.resource.database.invariants import Stored, looking
from services.pricing.adapters.db.tables import COST, FLOOR, PROMOTION, SCHEDULE, TAX_RATE


def look() -> Look:
    """Judges every price schedule, floor, cost schedule and tax rate."""
    return looking("pricing", (), (Stored(SCHEDULE), Stored(FLOOR), Stored(COST), Stored(TAX_RATE), Stored(PROMOTION)))
