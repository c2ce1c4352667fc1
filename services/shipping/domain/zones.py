"""Where parcels go to, and which zone that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libs.postal import postal

Specificity = tuple[int, int, int]
"""Length of the postal prefix, whether there is a region, whether there is a country: the greatest wins."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a group goes. `key` is the same for the same postal address; the rest is what zones look at."""

    key: str
    country: str
    region: str
    postal_code: str


NOWHERE = Destination("", "", "", "")
"""Nobody said where to; only a zone that is everywhere holds it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Places of a zone: fields that are set must all match. Kept as compared: `Place.of` makes it so."""

    country: str
    region: str
    postal_prefix: str

    @staticmethod
    def of(country: str, region: str, postal_prefix: str) -> Place:
        """From the texts of the seller."""
        return Place(country, region.strip().casefold(), postal(postal_prefix))


@dataclass(frozen=True, slots=True)
class Zone:
    """Places that rates are the same for."""

    id: str
    places: tuple[Place, ...]

    def match(self, to: Destination) -> Specificity | None:
        """How specific the zone's best match is; None when the destination is outside."""
        region, code = to.region.strip().casefold(), postal(to.postal_code)
        best: Specificity | None = None
        for place in self.places:
            if (place.country and place.country != to.country) or (place.region and place.region != region):
                continue
            if not code.startswith(place.postal_prefix):
                continue
            found = (len(place.postal_prefix), int(bool(place.region)), int(bool(place.country)))
            if best is None or found > best:
                best = found
        return best


def most_specific(zones: Iterable[Zone], to: Destination) -> Zone | None:
    """The zone that a destination belongs to; the smaller id among equally specific ones."""
    matches = [(zone, found) for zone in zones if (found := zone.match(to)) is not None]
    if not matches:
        return None
    top = max(found for _, found in matches)
    return min((zone for zone, found in matches if found == top), key=lambda zone: zone.id)
