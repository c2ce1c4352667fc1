"""BatchGetProductPrices: what a customer pays for many products before any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from services.pricing.application.calculation.priced_groups import Customer, PricedGroups
from services.pricing.application.ports import Units
from services.pricing.domain.schedules.offer import Offer, offered


class OfferProducts:
    """One statement for all products, and one more where groups have to be asked about."""

    def __init__(self, units: Units, groups: PricedGroups, clock: Clock) -> None:
        self._units = units
        self._groups = groups
        self._clock = clock

    async def __call__(
        self, caller: Principal | None, customer: Customer, currency: str, products: Sequence[str], with_variants: bool = False
    ) -> tuple[Mapping[str, Offer], datetime]:
        """By product, and if wanted by variant with schedules of its own, each under its `article`; and the instant at which they
        hold. What cannot be ordered in the currency is absent."""
        now = self._clock.now()
        if not products:
            return {}, now
        groups = await self._groups(caller, customer, products)
        async with self._units.reading() as work:
            schedules = await work.prices.schedules(customer.buyer_id, groups, products, None if with_variants else ())
        offers = {article: offered(held, currency, now) for article, held in schedules.items()}
        return {article: offer for article, offer in offers.items() if offer is not None}, now
