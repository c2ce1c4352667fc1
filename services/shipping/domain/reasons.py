"""Names of the context's own reasons: waybill.shipping.v1.ErrorReason without the prefix."""

from enum import StrEnum


class Reason(StrEnum):
    """Why something is refused, or why an item cannot be shipped."""

    NO_SHIP_METHOD = "NO_SHIP_METHOD"
    SHIP_TO_MISSING = "SHIP_TO_MISSING"
    CARRIER_NOT_FOUND = "CARRIER_NOT_FOUND"
    SHIP_METHOD_NOT_FOUND = "SHIP_METHOD_NOT_FOUND"
    ZONE_NOT_FOUND = "ZONE_NOT_FOUND"
    RATE_TABLE_EXISTS = "RATE_TABLE_EXISTS"
    ASSIGNMENT_EXISTS = "ASSIGNMENT_EXISTS"
    RATE_ROWS_UNORDERED = "RATE_ROWS_UNORDERED"
    SHIP_METHOD_UNAVAILABLE = "SHIP_METHOD_UNAVAILABLE"
