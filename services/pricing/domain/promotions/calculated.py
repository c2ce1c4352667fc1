"""Promotions and the calculation of an order: what they are taken off of it, and what comes off as its discounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from libs.money import minor_unit
from services.pricing.domain.calculation.calculate import Calculation, Shipment
from services.pricing.domain.calculation.discounts import Discount, Promoted
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.combination import Candidate
from services.pricing.domain.promotions.promotion import Target
from services.pricing.domain.promotions.taking import Basis, Freight, GoodsLine, Part


@dataclass(frozen=True, slots=True)
class Placed:
    """What promotions ask of a line beside its price."""

    create_time: datetime
    supplier_id: str = ""


def basis_of(
    currency: str, calculated: Calculation, lines: Iterable[Line], placed: Mapping[str, Placed], suppliers: Mapping[str, str]
) -> Basis:
    """What promotions are taken off: an order that was calculated without them, so that the tax that an exempt buyer does not pay
    is no part of it. `placed` is by line; `suppliers` are those of estimates that ship what one supplier sells, by estimate."""
    asked = {line.id: line for line in lines}
    goods = [
        GoodsLine(
            id=priced.id,
            quantity=asked[priced.id].quantity,
            unit_price=priced.price.unit,
            subtotal=priced.subtotal,
            left=priced.subtotal - priced.discount,
            create_time=placed[priced.id].create_time,
            supplier_id=placed[priced.id].supplier_id,
            # A discount of nothing that a person sets is set by hand, too: it keeps promotions of lines away.
            overridden=asked[priced.id].discount_override is not None,
        )
        for priced in calculated.lines
    ]
    freights = [Freight(made.id, made.cost - made.discount, suppliers.get(made.id, "")) for made in calculated.shipments]
    return Basis.of(minor_unit(currency), goods, freights)


def discounted(
    lines: Iterable[Line], shipments: Iterable[Shipment], basis: Basis, taken: Iterable[tuple[Candidate, Sequence[Part]]]
) -> tuple[list[Line], list[Shipment]]:
    """The lines and estimates with what promotions take off, in the order in which they are taken, ready to be calculated."""
    off_lines: dict[str, list[Discount]] = {}
    off_freights: dict[str, list[Discount]] = {}
    for candidate, parts in taken:
        source = Promoted(candidate.promotion.id, candidate.code)
        shipping = candidate.promotion.target is Target.SHIPPING
        off, bases = (off_freights, basis.freights) if shipping else (off_lines, basis.lines)
        for place, amount in parts:
            off.setdefault(bases[place].id, []).append(Discount(source, amount))
    return (
        [replace(line, discounts=(*line.discounts, *off_lines.get(line.id, ()))) for line in lines],
        [replace(one, discounts=(*one.discounts, *off_freights.get(one.id, ()))) for one in shipments],
    )
