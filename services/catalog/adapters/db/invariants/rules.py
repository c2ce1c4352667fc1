"""What the catalog's resources can be, as rules of its inspection."""

from __future__ import annotations

from libs.db.invariants import Look
from libs.resource.database.invariants import Stored, looking
from services.catalog.adapters.db.tables import PRODUCT


def look() -> Look:
    """Judges every product."""
    return looking("catalog", (), (Stored(PRODUCT),))
