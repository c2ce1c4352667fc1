"""What somebody fills in who registers, held to what users are."""

from __future__ import annotations

from typing import Any
from unicodedata import category

from libs.errors import Violations
from services.directory.contract import resources
from services.directory.domain.people.registrations import Applicant, plausible
from waybill.directory.v1 import reasons

_FIELDS = ("username", "email", "first_name", "last_name", "phone")
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Categories of what ends a line, or is no text at all."""


def applicant_in(found: Violations, request: Any) -> Applicant:
    """Of a request; everything that is wrong is noted."""
    noted, values = Violations(), dict[str, Any]()
    for name in _FIELDS:
        values[name] = resources.USER.attributes[name].read(noted, "", request, values)
    for each in noted.items:
        found.add(each.field.removeprefix("."), each.reason, each.description)
    # What a stranger has filled in goes into letters to others: into their headers, where a line more is another header.
    for name in _FIELDS:
        found.require(name, _one_line(values[name]), reasons.FIELD_INVALID, "is one line, without control characters")
    for name in ("email", "first_name", "last_name"):
        found.require(name, bool(values[name].strip()), reasons.FIELD_REQUIRED, "is required")
    sendable = plausible(values["email"]) or not values["email"].strip()
    found.require("email", sendable, reasons.FIELD_INVALID, "is a name, an @ and a domain")
    return Applicant(*(values[name] for name in _FIELDS))


def _one_line(text: str) -> bool:
    return not any(category(each) in _BREAKS for each in text)
