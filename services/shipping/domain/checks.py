"""Rules between several fields of one resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.errors import Violations
from waybill.shipping.v1 import reasons


def method_lead_times(found: Violations, where: str, method: Mapping[str, Any]) -> None:
    """The longest time is not below the shortest; absent is zero."""
    _in_order(found, where, method["min_lead_time"] or 0, method["max_lead_time"] or 0)


def table_lead_times(found: Violations, where: str, table: Mapping[str, Any]) -> None:
    """Both are set or none, and in order."""
    shortest, longest = table["min_lead_time"], table["max_lead_time"]
    if (shortest is None) is not (longest is None):
        missing = "min_lead_time" if shortest is None else "max_lead_time"
        found.add(f"{where}.{missing}", reasons.FIELD_REQUIRED, "both lead times are set, or none")
    elif shortest is not None:
        _in_order(found, where, shortest, longest)


def _in_order(found: Violations, where: str, shortest: int, longest: int) -> None:
    found.require(f"{where}.max_lead_time", shortest <= longest, reasons.VALUE_OUT_OF_RANGE, "must not be below min_lead_time")
