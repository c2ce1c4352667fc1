"""Taxes that a buyer need not pay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.pricing.domain.tax.rates import Destination, class_key


@dataclass(frozen=True, slots=True)
class Exemption:
    """From the taxes of a country on a class, or on all where it names none. A missing time is open."""

    country: str
    certificate_id: str
    tax_class: str = ""
    """As `class_key` makes it; empty for all."""
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it has begun and has not ended."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)

    def fits(self, place: Destination, tax_class: str) -> bool:
        """Whether it is from the tax of a place on a class."""
        return self.country == place.country and self.tax_class in ("", class_key(tax_class))


class Exemptions:
    """Those of one buyer that hold at an instant."""

    def __init__(self, exemptions: Iterable[Exemption], now: datetime) -> None:
        self._held = tuple(one for one in exemptions if one.holds(now))
        self._known: dict[tuple[Destination, str], Exemption | None] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def of(self, place: Destination | None, tax_class: str) -> Exemption | None:
        """The first that fits; nobody is exempt where it is not known where the sale is taxed."""
        if place is None or not self._held:
            return None
        key = (place, tax_class)
        if key not in self._known:
            self._known[key] = next((one for one in self._held if one.fits(place, tax_class)), None)
        return self._known[key]


NONE = Exemptions((), datetime.max.replace(tzinfo=UTC))
"""Those of a buyer that pays every tax."""
