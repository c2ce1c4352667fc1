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
        if (own := _own(caller, customer)) is not None:
            return own
        async with self._units.reading() as work:
            if not await work.prices.priced_by_group(customer.buyer_id, products):
                return ()
        return await self._memberships.group_ids(customer.user_id)

    async def of(self, caller: Principal | None, customer: Customer) -> Collection[str]:
        """All groups that the customer's user is in, whatever has a price for them."""
        if not (customer.buyer_id and customer.user_id):
            return ()
        own = _own(caller, customer)
        return await self._memberships.group_ids(customer.user_id) if own is None else own


def _own(caller: Principal | None, customer: Customer) -> Collection[str] | None:
    """The groups in the token of a user who asks for himself, if it says them."""
    return caller.groups if caller is not None and caller.user_id == customer.user_id else None
