"""A line to price, and what keeps one from being priced."""

from __future__ import annotations

from dataclasses import dataclass

from services.pricing.domain.calculation.mark_ups import MarkUp
from services.pricing.domain.tax.rates import Destination
from waybill.pricing.v1 import reasons


@dataclass(frozen=True, slots=True)
class Line:
    """A line to price; amounts are micros of the order's currency."""

    id: str
    product_id: str
    quantity: int
    tax_class: str = ""
    unit_price_override: int | None = None
    discount_override: int | None = None
    destination: Destination | None = None
    mark_ups: tuple[MarkUp, ...] = ()
    supplier_ids: tuple[str, ...] = ()
    """Suppliers whose costs are asked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a line, or an estimate's shipping, from being priced as it should; without either it is about the order."""

    line_id: str
    reason: reasons.ReasonName
    description: str
    shipment_id: str = ""
