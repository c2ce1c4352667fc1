"""CalculateOrder: every part of an order's amounts in one call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from services.pricing.application.calculation.costs_of_lines import costs_of_lines
from services.pricing.application.calculation.priced_groups import Customer, PricedGroups
from services.pricing.application.ports import Priced, Units
from services.pricing.application.promotions.promote_order import NO_PROMOTIONS, OrderPromotions, Wanted, promote_order
from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.costs import LineCost
from services.pricing.domain.calculation.fees import Fee
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.tax.exemptions import Exemption, Exemptions
from services.pricing.domain.tax.rates import SHIPPING, Destination, class_key


@dataclass(frozen=True, slots=True)
class Calculated:
    """The parts, the costs that lines have at the suppliers that they name, and the instant at which both hold."""

    parts: Calculation
    costs: Sequence[LineCost]
    time: datetime
    promotions: OrderPromotions = NO_PROMOTIONS


class CalculateOrder:
    """Pure calculation over what two statements load, and a third where costs are asked for."""

    def __init__(self, units: Units, groups: PricedGroups, clock: Clock) -> None:
        self._units = units
        self._groups = groups
        self._clock = clock

    async def __call__(
        self,
        caller: Principal | None,
        customer: Customer,
        currency: str,
        lines: Sequence[Line],
        shipments: Sequence[Shipment],
        destination: Destination | None,
        taxed: bool = False,
        hidden: Collection[str] = (),
        exemptions: Sequence[Exemption] = (),
        fees: Sequence[Fee] = (),
        wanted: Wanted | None = None,
    ) -> Calculated:
        """Calculates. What is `taxed` must say where, as soon as there is any rate. Products
        that are `hidden` have no price. Of the buyer's `exemptions` those count that hold now."""
        now = self._clock.now()
        places = {
            destination,
            *(x.destination for x in lines),
            *(x.destination for x in shipments),
            *(x.destination for x in fees),
        }
        classes = {class_key(x.tax_class) for x in lines} | {class_key(fee.tax_class) for fee in fees}
        classes |= {SHIPPING} if shipments else set()
        # Those of overridden prices, too: their schedules say whether tax is included.
        products = {line.product_id for line in lines}.difference(hidden)
        variants = {line.variant_id for line in lines if line.variant_id}
        wanted = await self._any_of(wanted)
        groups = await (self._groups.of(caller, customer) if wanted else self._groups(caller, customer, products))
        asked = wanted and wanted.asked(customer, groups)
        async with self._units.reading() as work:
            priced = await work.prices.priced(customer.buyer_id, groups, products, variants) if products else Priced({})
            rates = await work.prices.rates([p for p in places if p is not None], classes, now)
            must_know = taxed and _unplaced(lines, shipments, fees, destination) and await work.prices.any_rate()
            costs = await costs_of_lines(work, currency, lines, priced, now)
            known = await work.asked_promotions.known(asked, now) if asked else ()
        exempt = Exemptions(exemptions, now)

        def calculated(lines: Sequence[Line], shipments: Sequence[Shipment]) -> Calculation:
            return calculate(currency, lines, shipments, destination, priced.schedules, rates, now, must_know, exempt, fees)

        parts = calculated(lines, shipments)
        if not (wanted and asked) or parts.problems:
            return Calculated(parts, costs, now)
        promotions, cheaper, freed = await promote_order(wanted, asked, known, customer, currency, parts, lines, shipments, now)
        return Calculated(calculated(cheaper, freed) if promotions.promoted.applied else parts, costs, now, promotions)

    async def _any_of(self, wanted: Wanted | None) -> Wanted | None:
        """What is wanted, unless there is no promotion that it could be."""
        if wanted is None:
            return None
        async with self._units.reading() as work:
            return wanted if wanted.entered or wanted.standing or await work.asked_promotions.any_automatic() else None


def _unplaced(lines: Sequence[Line], shipments: Sequence[Shipment], fees: Sequence[Fee], destination: Destination | None) -> bool:
    """Whether anything has no place of taxation."""
    return destination is None and (
        any(line.destination is None for line in lines)
        or any(s.cost and s.destination is None for s in shipments)
        or any(fee.amount and fee.destination is None for fee in fees)
    )
