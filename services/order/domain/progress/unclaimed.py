"""Units that came to the seller because no supplier took them, as reports of the seller's supplier order show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from libs.json_value import JsonObject

UNCLAIMED = "supplier_order_unclaimed"
CLAIMED = "supplier_order_claimed"
NAMED_AT_MOST = 100
"""Lines that an event names at most."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether a supplier order has units that nobody has taken yet, and its units by line."""

    unclaimed: bool
    units: Mapping[str, int]


def claim_change(supplier_order_id: str, before: Claim | None, after: Claim) -> tuple[str, JsonObject] | None:
    """What the history of the buyer order says of it, as type and data; None where nothing is new.

    More units that come while it is unclaimed are news of their own: `units` are those that have come since the last report. One
    that ends unclaimed stays so, which is no news: its order says that it was canceled.
    """
    known: Mapping[str, int] = {} if before is None else before.units
    was = before is not None and before.unclaimed
    if not after.unclaimed:
        return (CLAIMED, {"supplier_order": supplier_order_id}) if was else None
    come = {line: units - known.get(line, 0) for line, units in after.units.items() if units > known.get(line, 0)}
    if was and not come:
        return None
    return UNCLAIMED, {"supplier_order": supplier_order_id, "units": dict(islice(come.items(), NAMED_AT_MOST))}
