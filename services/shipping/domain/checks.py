"""Rules between several fields of one resource."""

from __future__ import annotations

from libs.errors import Violations
from waybill.shipping.v1 import reasons


def method_lead_times(found: Violations, where: str, shortest: int | None, longest: int | None) -> None:
    """The longest time is not below the shortest; absent is zero."""
    _in_order(found, where, shortest or 0, longest or 0)


def table_lead_times(found: Violations, where: str, shortest: int | None, longest: int | None) -> None:
    """Both are set or none, and in order."""
    if shortest is None or longest is None:
        if shortest is longest:
            return
        missing = "min_lead_time" if shortest is None else "max_lead_time"
        found.add(f"{where}.{missing}", reasons.FIELD_REQUIRED, "both lead times are set, or none")
    else:
        _in_order(found, where, shortest, longest)


def _in_order(found: Violations, where: str, shortest: int, longest: int) -> None:
    found.require(f"{where}.max_lead_time", shortest <= longest, reasons.VALUE_OUT_OF_RANGE, "must not be below min_lead_time")
