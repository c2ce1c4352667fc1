"""Fees from JSON; `domain.fees.listed` makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from services.order.domain.fees import Fee, FeeSource


def fees_of(stored: Iterable[Sequence[Any]]) -> tuple[Fee, ...]:
    """The fees that were stored. Raises ValueError for a source that nobody knows."""
    return tuple(
        Fee(id, name, amount, tax_class, tax, Decimal(rate), FeeSource(source))
        for id, name, amount, tax_class, tax, rate, source in stored
    )
