"""Which groups' prices hold for a user."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from libs.auth import Principal
from services.pricing.application.ports import Memberships, Units


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose prices hold; without a buyer they are the defaults, without a user no group's hold."""

    buyer_id: str = ""
    user_id: str = ""


class PricedGroups:
    """Reads a user's groups from its own token; for anyone else, and where the token had no room, it asks the directory."""

    def __init__(self, units: Units, memberships: Memberships) -> None:
        self._units = units
        self._memberships = memberships

    async def __call__(self, caller: Principal | None, customer: Customer, products: Collection[str]) -> Collection[str]:
        """The groups. Nobody is asked about products that have no price for any group of the buyer."""
        if not (customer.buyer_id and customer.user_id and products):
            return ()
        if caller is not None and caller.user_id == customer.user_id and caller.groups is not None:
            return caller.groups
        async with self._units.reading() as work:
            if not await work.prices.priced_by_group(customer.buyer_id, products):
                return ()
        return await self._memberships.group_ids(customer.user_id)
