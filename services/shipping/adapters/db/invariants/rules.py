"""What shipping's resources can be, as rules of its inspection."""

from __future__ import annotations

from libs.db.invariants import Look
from libs.resource.database.invariants import Stored, looking
from services.shipping.adapters.db.tables import CARRIER, GROUPING_RULE, RATE_TABLE, SHIP_METHOD, ZONE


def look() -> Look:
    """Judges every resource."""
    return looking("shipping", (), [Stored(kind) for kind in (CARRIER, ZONE, SHIP_METHOD, RATE_TABLE, GROUPING_RULE)])
