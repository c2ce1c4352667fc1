"""Places of taxation, as messages name them."""

from __future__ import annotations

from typing import Any

from services.pricing.domain.tax.rates import Destination


def destination_in(message: Any, field: str) -> Destination | None:
    """The part of an address that tax looks at."""
    if not message.HasField(field):
        return None
    address = getattr(message, field)
    return Destination(address.country, address.region, address.postal_code)
