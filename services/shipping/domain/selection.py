"""Whether what was selected for a parcel may still be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.shipping.domain.methods import Scope


@dataclass(frozen=True, slots=True)
class Selection:
    """The method that was selected for an estimate; an empty supplier or origin is the seller's, or mixed."""

    estimate_id: str
    method_id: str
    supplier_id: str = ""
    ship_from_id: str = ""


def unavailable(selections: Sequence[Selection], usable: Mapping[str, Sequence[Scope]]) -> list[Selection]:
    """Selections whose method is off. `usable` are the scopes of the methods that the buyer and channel may use."""
    return [
        s for s in selections if not any(scope.covers(s.supplier_id, s.ship_from_id) for scope in usable.get(s.method_id, ()))
    ]
