"""Where parcels go to, and which zone that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libs.identify import folded
from libs.postal import postal


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
        return Place(country, folded(region), postal(postal_prefix))


@dataclass(frozen=True, slots=True)
class Zone:
    """Places that rates are the same for."""

    id: str
    places: tuple[Place, ...]


class ZoneIndex:
    """Zones by what their places name: a destination is looked up in it, not compared with every place."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._zones: dict[Place, Zone] = {}
        for zone in zones:
            for place in zone.places:
                known = self._zones.get(place)
                if known is None or zone.id < known.id:
                    self._zones[place] = zone
        self._lengths = sorted({len(place.postal_prefix) for place in self._zones}, reverse=True)

    def find(self, to: Destination) -> Zone | None:
        """The zone that a destination belongs to, None when it is outside of all.

        The most specific place wins: by the length of its postal prefix, then one with a region, then one with a
        country; among equals the zone with the smaller id.
        """
        code = postal(to.postal_code)
        regions = dict.fromkeys((folded(to.region), ""))
        countries = dict.fromkeys((to.country, ""))
        for length in self._lengths:
            if length > len(code):
                continue
            for region in regions:
                for country in countries:
                    zone = self._zones.get(Place(country, region, code[:length]))
                    if zone is not None:
                        return zone
        return None
