"""What a line has chosen of its product, as it was then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MarkUp:
    """What an option adds to the price, as the catalog has it; pricing works it out.

    `type` is a name of waybill.type.v1.PriceMarkUpType without its prefix, amounts are micros by currency.
    """

    type: str
    amounts: Mapping[str, int] = field(default_factory=dict)
    percentage: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a line has of one spec, as it was when it was chosen."""

    spec_id: str
    name: str
    option_id: str = ""
    option_name: str = ""
    value: str = ""
    mark_up: MarkUp | None = None
    defines_variant: bool = False
    """Whether its option is part of the variant: a variant with a price of its own has its mark-up in that."""
