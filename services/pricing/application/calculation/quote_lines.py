"""QuoteLines: what somebody who looks at prices may know."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import PartyKind, Principal
from services.pricing.application.access import quoted
from services.pricing.application.calculation.calculate_order import CalculateOrder
from services.pricing.application.ports import Shop, Units
from services.pricing.domain.calculation.calculate import Calculation
from services.pricing.domain.calculation.line import Line


class QuoteLines:
    """Prices for people. To a user of a buyer, a product that no catalog shows has no price, like one that does not exist; to a
    supplier one that it has a cost schedule for has none: it sees what it is paid instead."""

    def __init__(self, units: Units, calculate: CalculateOrder, shop: Shop) -> None:
        self._units = units
        self._calculate = calculate
        self._shop = shop

    async def __call__(self, caller: Principal, buyer_id: str, user_id: str, currency: str, lines: Sequence[Line]) -> Calculation:
        """The parts and the problems. Raises `RESOURCE_NOT_FOUND` for a buyer or user that the caller may not see."""
        customer = quoted(caller, buyer_id, user_id)
        hidden: frozenset[str] = frozenset()
        if caller.party_kind is PartyKind.BUYER:
            products = frozenset(line.product_id for line in lines)
            hidden = products.difference(await self._shop.shown(products, customer.buyer_id, customer.user_id))
        elif caller.party_kind is PartyKind.SUPPLIER:
            async with self._units.reading() as work:
                hidden = frozenset(await work.costs.costed(caller.party_id, {line.product_id for line in lines}))
        made = await self._calculate(caller, customer, currency, lines, (), None, hidden=hidden)
        return made.parts
