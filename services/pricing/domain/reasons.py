"""Reasons of pricing's own, as `waybill.pricing.v1.ErrorReason` names them."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Values equal the names of the contract's enum without their prefix."""

    PRICE_MISSING = "PRICE_MISSING"
    QUANTITY_BELOW_MINIMUM = "QUANTITY_BELOW_MINIMUM"
    QUANTITY_ABOVE_MAXIMUM = "QUANTITY_ABOVE_MAXIMUM"
    QUANTITY_NOT_ALLOWED = "QUANTITY_NOT_ALLOWED"
    DISCOUNT_ABOVE_SUBTOTAL = "DISCOUNT_ABOVE_SUBTOTAL"
    PRICE_CHANGED = "PRICE_CHANGED"
    TAX_CHANGED = "TAX_CHANGED"
    TAX_DESTINATION_MISSING = "TAX_DESTINATION_MISSING"
    ATTEMPT_RELEASED = "ATTEMPT_RELEASED"
    SALE_TIMES_REVERSED = "SALE_TIMES_REVERSED"
    PRICE_SCHEDULE_NOT_FOUND = "PRICE_SCHEDULE_NOT_FOUND"
    TAX_TIMES_REVERSED = "TAX_TIMES_REVERSED"
    AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE"


CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
"""A common reason that pricing gives in problems too."""
