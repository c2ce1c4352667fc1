"""Tax rates: the most specific one that fits a destination and a class of products."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

STANDARD = "standard"
SHIPPING = "shipping"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something is delivered to, as far as tax is concerned."""

    country: str
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate."""

    country: str
    region: str
    postal_prefix: str
    tax_class: str
    rate: Decimal


class Rates:
    """Rates of some countries, looked up by destination and class."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_class: dict[tuple[str, str], list[Rate]] = {}
        for rate in rates:
            self._by_class.setdefault((rate.country, rate.tax_class), []).append(rate)
        for found in self._by_class.values():
            found.sort(key=lambda r: (-len(r.postal_prefix), not r.region))
        self._known: dict[tuple[Destination, str], Decimal] = {}

    def rate(self, destination: Destination | None, tax_class: str) -> Decimal:
        """The longest postal prefix wins, then the region, then the country; nothing fits: zero."""
        if destination is None:
            return ZERO
        key = (destination, tax_class or STANDARD)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._find(*key)
        return known

    def _find(self, destination: Destination, tax_class: str) -> Decimal:
        for rate in self._by_class.get((destination.country, tax_class), ()):
            if rate.region and rate.region != destination.region:
                continue
            if destination.postal_code.startswith(rate.postal_prefix):
                return rate.rate
        return ZERO
