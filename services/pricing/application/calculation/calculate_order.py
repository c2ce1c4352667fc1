"""CalculateOrder: every part of an order's amounts in one call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from services.pricing.application.calculation.priced_groups import Customer, PricedGroups
from services.pricing.application.ports import Units
from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.tax.rates import SHIPPING, Destination, class_key


class CalculateOrder:
    """Pure calculation over what two statements load."""

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
    ) -> tuple[Calculation, datetime]:
        """The parts, and the instant at which they hold. What is `taxed` must say where, as soon as there is any rate. Products
        that are `hidden` have no price."""
        now = self._clock.now()
        places = {destination, *(x.destination for x in lines), *(s.destination for s in shipments)} - {None}
        classes = {class_key(line.tax_class) for line in lines} | ({SHIPPING} if shipments else set())
        # Those of overridden prices, too: their schedules say whether tax is included.
        products = {line.product_id for line in lines}.difference(hidden)
        groups = await self._groups(caller, customer, products)
        async with self._units.reading() as work:
            schedules = await work.prices.schedules(customer.buyer_id, groups, products) if products else {}
            rates = await work.prices.rates([p for p in places if p is not None], classes, now)
            must_know = taxed and _unplaced(lines, shipments, destination) and await work.prices.any_rate()
        return calculate(currency, lines, shipments, destination, schedules, rates, now, must_know), now


def _unplaced(lines: Sequence[Line], shipments: Sequence[Shipment], destination: Destination | None) -> bool:
    """Whether anything has no place of taxation."""
    return destination is None and (
        any(line.destination is None for line in lines) or any(s.cost and s.destination is None for s in shipments)
    )
