"""Taxes that a buyer need not pay: what may be stated of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pycountry

from libs.errors import Violations
from waybill.directory.v1 import reasons

MOST = 100
"""Exemptions of one buyer."""
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


@dataclass(frozen=True, slots=True)
class StatedExemption:
    """What a caller states, before anything is certain of it. None is a time that is not given."""

    country: str
    tax_class: str
    certificate_id: str
    start: datetime | None
    end: datetime | None


def check(found: Violations, where: str, stated: Sequence[StatedExemption]) -> None:
    """Every fault of every exemption."""
    found.require(where, len(stated) <= MOST, reasons.TOO_MANY_ITEMS, f"at most {MOST} exemptions")
    for i, one in enumerate(stated[:MOST]):
        at = f"{where}[{i}]"
        if not one.country:
            found.add(f"{at}.country", reasons.FIELD_REQUIRED, "is required")
        elif one.country not in _COUNTRIES:
            found.add(f"{at}.country", reasons.FIELD_INVALID, "must be an ISO 3166-1 alpha-2 code, upper case")
        if not one.certificate_id.strip():
            found.add(f"{at}.certificate_id", reasons.FIELD_REQUIRED, "is required")
        for name in ("tax_class", "certificate_id"):
            text: str = getattr(one, name)
            found.require(
                f"{at}.{name}", len(text) <= 100 and "\0" not in text, reasons.VALUE_OUT_OF_RANGE, "at most 100 characters"
            )
        backwards = one.start is not None and one.end is not None and one.start >= one.end
        found.require(f"{at}.end_time", not backwards, reasons.TAX_TIMES_REVERSED, "an exemption ends after it begins")
