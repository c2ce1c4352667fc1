"""Taxes that the buyer need not pay, as the directory says it. Pricing decides what they come to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TaxExemption:
    """From the taxes of a country, of one tax class or of all. A missing time is open."""

    country: str
    tax_class: str
    certificate_id: str
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it has begun and has not ended."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)


def held(exemptions: Iterable[TaxExemption], countries: Collection[str], now: datetime) -> list[TaxExemption]:
    """Those of these countries that hold now, in their order: the first that fits counts."""
    return [one for one in exemptions if one.country in countries and one.holds(now)]
