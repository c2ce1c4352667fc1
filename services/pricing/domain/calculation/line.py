"""A line to price, and what keeps one from being priced."""

from __future__ import annotations

from dataclasses import dataclass

from libs.money import MICRO
from services.pricing.domain.calculation.discounts import Discount
from services.pricing.domain.calculation.mark_ups import MarkUp
from services.pricing.domain.tax.rates import Destination
from waybill.pricing.v1 import reasons

LARGEST = 10**12 * MICRO
"""What the lines of an order may come to, what its shipping may, and what its fees may; sums of all fit 64 bits."""


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
    variant_id: str = ""
    discounts: tuple[Discount, ...] = ()
    """What comes off beside the override and after it, in this order; of each as much as is left."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a line, an estimate's shipping, a fee or a promotion from being as it should; without any it is about the order.
    `contended` where orders that are being submitted alone are the cause."""

    line_id: str
    reason: reasons.ReasonName
    description: str
    shipment_id: str = ""
    fee_id: str = ""
    promotion_id: str = ""
    contended: bool = False


def unplaced(line_id: str = "", shipment_id: str = "", fee_id: str = "") -> Problem:
    """What nobody knows the place of taxation of."""
    text = "nobody knows where it is taxed: it has no destination, and there are tax rates"
    return Problem(line_id, reasons.TAX_DESTINATION_MISSING, text, shipment_id, fee_id)


def too_large(line_id: str, description: str) -> Problem:
    """What an order cannot come to."""
    return Problem(line_id, reasons.AMOUNT_TOO_LARGE, description)
