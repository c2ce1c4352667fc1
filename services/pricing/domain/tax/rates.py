"""Tax rates: the most specific one that fits a destination and a class of products."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from libs.errors import Violations
from libs.identify import folded
from libs.postal import MAX_PREFIX, postal
from waybill.pricing.v1 import reasons

STANDARD = "standard"
SHIPPING = "shipping"
FEES = "fees"
ZERO = Decimal(0)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


def class_key(tax_class: str) -> str:
    """A tax class as it is compared; an empty one is the standard class."""
    return folded(tax_class) or STANDARD


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something is delivered to, as far as tax is concerned."""

    country: str
    region: str = ""
    postal_code: str = ""

    def prefixes(self) -> list[str]:
        """Every postal prefix that holds it, the empty one too."""
        code = postal(self.postal_code)[:MAX_PREFIX]
        return [code[:length] for length in range(len(code) + 1)]


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate that holds now. `start` and `id` only decide between equally specific ones."""

    country: str
    region: str
    postal_prefix: str
    tax_class: str
    """As `class_key` makes it."""
    rate: Decimal
    start: datetime | None = None
    id: str = ""


class Rates:
    """Rates of some countries, looked up by destination and class."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_class: dict[tuple[str, str], list[Rate]] = {}
        # Sorted three times, the least important first: the sort keeps the order of equals.
        ordered = sorted(rates, key=lambda r: r.id)
        ordered.sort(key=lambda r: r.start or _ALWAYS, reverse=True)
        ordered.sort(key=lambda r: (-len(r.postal_prefix), not r.region))
        for rate in ordered:
            self._by_class.setdefault((rate.country, rate.tax_class), []).append(rate)
        self._known: dict[tuple[Destination, str], Decimal] = {}

    def rate(self, destination: Destination | None, tax_class: str) -> Decimal:
        """The longest postal prefix wins, then the region, then the country; nothing fits: zero."""
        if destination is None:
            return ZERO
        key = (destination, class_key(tax_class))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._find(*key)
        return known

    def _find(self, destination: Destination, tax_class: str) -> Decimal:
        region, code = folded(destination.region), postal(destination.postal_code)
        for rate in self._by_class.get((destination.country, tax_class), ()):
            if rate.region and folded(rate.region) != region:
                continue
            if code.startswith(rate.postal_prefix):
                return rate.rate
        return ZERO


def check(found: Violations, where: str, start: datetime | None, end: datetime | None) -> None:
    """Rules between the attributes of a rate."""
    found.require(
        f"{where}.end_time", not (start and end) or start < end, reasons.TAX_TIMES_REVERSED, "a rate ends after it begins"
    )
